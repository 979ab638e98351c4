using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.ServiceDefaults;
using ClusterLlm.ServiceDefaults.Security;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>What was found where the token should be.</summary>
/// <param name="Problem">A sentence when there is no usable token.</param>
/// <param name="IsMissing">There is none at all, which may change; else there is one that will never do.</param>
internal sealed record JoinTokenReading(JoinToken? Token, string? Problem, bool IsMissing = false);

/// <summary>Reads the join token from the file that the settings name, or once from standard input.</summary>
internal sealed class JoinTokenSource(IOptions<NodeOptions> options)
{
    /// <summary>In place of a file's name.</summary>
    public const string StandardInput = "-";

    private readonly Lock _gate = new();
    private string? _input;

    public JoinTokenReading Read()
    {
        if (options.Value.JoinTokenFile is not { Length: > 0 } file)
        {
            return new(null, "No join token is set: make one with 'token create' on the Coordinator's machine, and name its file in Node:JoinTokenFile.", IsMissing: true);
        }

        try
        {
            var text = file == StandardInput ? ReadInput() : PrivateFiles.Read(file);
            return JoinTokenText.TryRead(text, out var token, out var problem) ? new(token, null) : new(null, problem);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(null, $"Waiting for a join token: {file} (Node:JoinTokenFile) is not there yet.", IsMissing: true);
        }
        catch (SettingsException error)
        {
            return new(null, error.Message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new(null, $"The join token in {file} (Node:JoinTokenFile) can't be read: {error.Message}");
        }
    }

    private string ReadInput()
    {
        lock (_gate)
        {
            return _input ??= Console.In.ReadLine() ?? "";
        }
    }
}
