using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ClusterLlm.AppHost.Standalone;

/// <summary>Every way in which this host is asked to end: Ctrl+C, SIGTERM, a closed terminal, and the end of the <c>dotnet run</c> that started it.</summary>
internal sealed class StopRequest : IDisposable
{
    private static readonly TimeSpan ParentInterval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _source = new();
    private readonly List<IDisposable> _owned = [];

    private StopRequest()
    {
    }

    public CancellationToken Token => _source.Token;

    public static StopRequest Listen()
    {
        var request = new StopRequest();
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
        {
            request._owned.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                request._source.Cancel();
            }));
        }

        request.WatchParent();
        return request;
    }

    public void Dispose()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }

        _source.Dispose();
    }

    /// <summary>
    /// <c>dotnet run</c> passes signals on, but cannot when it is killed. Only it is watched: a shell that starts the host in the background may end
    /// and leave it running on purpose.
    /// </summary>
    private void WatchParent()
    {
        if (OperatingSystem.IsWindows() || !IsDotnet(UnixSignals.ParentPid()))
        {
            return;
        }

        var parent = UnixSignals.ParentPid();
        _owned.Add(TimeProvider.System.CreateTimer(
            _ =>
            {
                if (UnixSignals.ParentPid() != parent)
                {
                    _source.Cancel();
                }
            },
            null,
            ParentInterval,
            ParentInterval));
    }

    private static bool IsDotnet(int pid)
    {
        try
        {
            using var parent = Process.GetProcessById(pid);
            return parent.ProcessName == "dotnet";
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
