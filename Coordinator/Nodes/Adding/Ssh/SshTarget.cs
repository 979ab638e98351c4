using ClusterLlm.Coordinator.Nodes.Adding.Checks;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace ClusterLlm.Coordinator.Nodes.Adding.Ssh;

/// <summary>A machine over SSH: one connection, one channel for each command.</summary>
internal sealed class SshTarget(SshClient client, SshLine line, TargetAddress address) : ITarget
{
    private const int BlockBytes = 32 * 1024;

    public async Task<CommandAnswer> RunAsync(string script, Stream? input, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        long sent = 0;
        try
        {
            using var command = client.CreateCommand(ShellText.Script(script));
            var running = command.ExecuteAsync(cancellationToken);
            if (input is not null)
            {
                await SendAsync(command, running, input, Tell, cancellationToken).ConfigureAwait(false);
            }

            await running.ConfigureAwait(false);
            return new CommandAnswer(command.ExitStatus ?? ExitCodeOfSignal, command.Result, command.ExitSignal is { } signal ? $"It was ended by {signal}. {command.Error}" : command.Error);
        }
        catch (Exception e) when (IsLoss(e))
        {
            // A command that is cancelled on a dead connection fails in its own way.
            cancellationToken.ThrowIfCancellationRequested();
            throw new TargetException(TargetProblem.Lost, $"The connection to {address} was lost{(sent > 0 ? $" after {sent:N0} bytes" : "")}: {line.Problem ?? e.Message.TrimEnd('.')}.", null, e);
        }

        void Tell(long bytes)
        {
            sent = bytes;
            progress?.Report(bytes);
        }
    }

    /// <remarks>The line first: a goodbye would wait for a machine that may be gone.</remarks>
    public async ValueTask DisposeAsync()
    {
        line.Cut();
        client.Dispose();
        await line.DisposeAsync().ConfigureAwait(false);
    }

    // As a shell reports it: 128 and more.
    private const int ExitCodeOfSignal = 255;

    private static async Task SendAsync(SshCommand command, Task running, Stream input, Action<long> tell, CancellationToken cancellationToken)
    {
        var remote = command.CreateInputStream();
        var block = new byte[BlockBytes];
        long sent = 0;
        int read;
        // A command that has ended (a full disk) reads no more.
        while (!running.IsCompleted && (read = await input.ReadAsync(block, cancellationToken).ConfigureAwait(false)) > 0)
        {
            try
            {
                await remote.WriteAsync(block.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (running.IsCompleted && e is IOException or ObjectDisposedException or SshException)
            {
                return;
            }

            tell(sent += read);
        }

        // Not where sending has failed: closing would wait for the same line.
        await remote.DisposeAsync().ConfigureAwait(false);
    }

    private static bool IsLoss(Exception e) => e is SshException or IOException or ObjectDisposedException or InvalidOperationException or System.Net.Sockets.SocketException;
}
