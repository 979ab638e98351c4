namespace ClusterLlm.NodeAgent.Hardware;

/// <summary>Runs a program of the system and gives what it printed.</summary>
internal interface ICommandRunner
{
    /// <param name="path">In full: a GNU tool of the same name may come first in PATH.</param>
    /// <returns>Standard output; <see langword="null"/> when the program is missing, fails or takes too long.</returns>
    ValueTask<string?> RunAsync(string path, IReadOnlyList<string> arguments, CancellationToken cancellationToken);
}
