using Microsoft.Extensions.Configuration;

namespace ClusterLlm.ServiceDefaults;

/// <summary>The folder that holds the state of all ClusterLlm processes of this user.</summary>
/// <param name="Path">Absolute; it may not exist yet.</param>
public sealed record ClusterHome(string Path)
{
    /// <summary>The environment variable that moves it.</summary>
    public const string VariableName = "CLUSTERLLM_HOME";

    /// <summary>Where models are looked for unless settings say otherwise.</summary>
    public string ModelsPath => System.IO.Path.Combine(Path, "models");

    /// <summary>A file with the API key of the running Coordinator for programs of this user, where keys are required.</summary>
    public string LocalKeyPath => System.IO.Path.Combine(Path, "run", "local-key");

    /// <summary>A file in which the Coordinator notes how many nodes run on other machines.</summary>
    public string RemoteNodesPath => System.IO.Path.Combine(Path, "remote-nodes");

    /// <summary><c>CLUSTERLLM_HOME</c> from <paramref name="configuration"/>, else <c>.clusterllm</c> in the user's folder.</summary>
    public static ClusterHome From(IConfiguration configuration) =>
        Resolve(configuration[VariableName], Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    /// <summary><paramref name="setting"/> (a leading <c>~</c> is the user's folder), or the default when it is empty.</summary>
    /// <param name="userFolder">Absolute; the temporary folder is used where a user has none.</param>
    internal static ClusterHome Resolve(string? setting, string userFolder)
    {
        var user = userFolder is { Length: > 0 } ? userFolder : System.IO.Path.GetTempPath();
        var path = setting switch
        {
            null or "" => System.IO.Path.Combine(user, ".clusterllm"),
            "~" => user,
            ['~', '/' or '\\', .. var rest] => System.IO.Path.Combine(user, rest),
            _ => setting,
        };
        return new(System.IO.Path.GetFullPath(path));
    }

    /// <summary>Makes the folder where it is missing, readable by its owner only, and returns its path.</summary>
    public string Create()
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.CreateDirectory(Path).FullName;
        }

        return Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
    }
}
