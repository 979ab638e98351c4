namespace ClusterLlm.Coordinator.Nodes.Adding;

/// <summary>Text for a shell on another machine.</summary>
internal static class ShellText
{
    /// <summary>One word: quoted, so that no character in it means anything to the shell.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>A script for <c>/bin/sh</c>, whatever the account's login shell is: zsh, fish and csh keep a single-quoted word as it is.</summary>
    public static string Script(string script) => $"/bin/sh -c {Quote(script)}";
}
