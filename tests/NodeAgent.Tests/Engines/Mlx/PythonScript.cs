using System.Globalization;
using ClusterLlm.Testing;

namespace ClusterLlm.NodeAgent.Tests.Engines.Mlx;

/// <summary>A stand-in for a node's interpreter: a shell script that does something before, or instead of, the real one.</summary>
internal sealed class PythonScript : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clusterllm-python-");

    /// <param name="body">Shell; <c>$PYTHON</c> is the real interpreter, <c>$2</c> the module that is run.</param>
    public PythonScript(string body)
    {
        Path = System.IO.Path.Combine(_folder.FullName, "python");
        File.WriteAllText(Path, string.Create(CultureInfo.InvariantCulture, $"#!/bin/sh\nPYTHON='{MlxPython.Require()}'\n{body}\nexec \"$PYTHON\" \"$@\"\n"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public string Path { get; }

    public void Dispose() => _folder.Delete(recursive: true);
}
