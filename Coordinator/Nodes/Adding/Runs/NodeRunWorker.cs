using System.Collections.Concurrent;
using ClusterLlm.Coordinator.Nodes.Adding.Installing;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;
using ClusterLlm.Coordinator.Nodes.Adding.Ssh;

namespace ClusterLlm.Coordinator.Nodes.Adding.Runs;

/// <summary>Carries out runs beside the requests that asked for them, and ends them with the process.</summary>
internal sealed partial class NodeRunWorker(
    NodeRunRegistry registry, NodeInstaller installer, NodeRemover remover, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<NodeRunWorker> logger) : IHostedService
{
    private readonly CancellationToken _ending = lifetime.ApplicationStopping;
    private readonly ConcurrentDictionary<string, Task> _running = new(StringComparer.Ordinal);

    /// <returns>The run, or <see langword="null"/> when another one works on the machine.</returns>
    public NodeRun? Add(AddRequest request) =>
        Begin(NodeRunKind.Add, request.Address, request.NodeId, $"Run the same again: what is done already is kept ('node add {request.Address}').", handle => installer.RunAsync(request, handle, _ending));

    /// <returns>The run, or <see langword="null"/> when another one works on the machine.</returns>
    public NodeRun? Remove(RemoveRequest request) =>
        Begin(NodeRunKind.Remove, request.Address, request.NodeId, $"Run the same again ('node remove {request.Address}').", handle => remover.RunAsync(request, handle, _ending));

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_running.Values).WaitAsync(cancellationToken);

    private NodeRun? Begin(NodeRunKind kind, TargetAddress address, string? nodeId, string repeat, Func<RunHandle, Task> work)
    {
        var run = new NodeRun(
            Guid.NewGuid().ToString("N")[..12], kind, address.Host, address.Port, address.User, NodeRunState.Running, nodeId, NodeRunSteps.Of(kind), [], null, time.GetUtcNow(), null);
        if (!registry.TryBegin(run))
        {
            return null;
        }

        LogBegun(run.Id, kind, address);
        var task = CarryOutAsync(new RunHandle(registry, run.Id), run, repeat, work);
        _running[run.Id] = task;
        _ = task.ContinueWith(_ => _running.TryRemove(run.Id, out var _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return run;
    }

    private async Task CarryOutAsync(RunHandle handle, NodeRun run, string repeat, Func<RunHandle, Task> work)
    {
        // The caller gets its answer before the first packet goes out.
        await Task.Yield();
        try
        {
            await work(handle);
            handle.Succeed(time.GetUtcNow());
            LogSucceeded(run.Id, run.Kind, handle.Run.NodeId ?? "-");
        }
        catch (OperationCanceledException e) when (_ending.IsCancellationRequested)
        {
            handle.Fail(new StepFailedException("The Coordinator is ending.", e), repeat, time.GetUtcNow());
        }
        catch (Exception e) when (e is StepFailedException or TargetException or AgentPackageException)
        {
            handle.Fail(e, repeat, time.GetUtcNow());
            LogFailed(run.Id, handle.Step, e.Message);
        }
        catch (Exception e)
        {
            // A defect of ours: the person gets the message, the log the whole.
            handle.Fail(new StepFailedException($"The Coordinator made a mistake: {e.Message}", e), repeat, time.GetUtcNow());
            LogDefect(run.Id, handle.Step, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId}: {Kind} {Address}.")]
    private partial void LogBegun(string runId, NodeRunKind kind, TargetAddress address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId}: {Kind} has succeeded (node {NodeId}).")]
    private partial void LogSucceeded(string runId, NodeRunKind kind, string nodeId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} has failed at step {Step}: {Problem}")]
    private partial void LogFailed(string runId, string step, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Run {RunId} has failed at step {Step}.")]
    private partial void LogDefect(string runId, string step, Exception exception);
}
