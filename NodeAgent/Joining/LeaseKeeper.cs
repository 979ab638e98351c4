using ClusterLlm.NodeAgent.Hosting;
using ClusterLlm.NodeAgent.Settings;
using Grpc.Core;

namespace ClusterLlm.NodeAgent.Joining;

/// <summary>Joins the cluster, keeps the lease, joins again when it is lost, and says goodbye at the end.</summary>
internal sealed partial class LeaseKeeper(
    MembershipClient membership,
    AgentEndpoints endpoints,
    NodeIdentity identity,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<LeaseKeeper> logger) : BackgroundService
{
    private Lease? _lease;
    private int _failures;
    private string? _problem;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // ApplicationStopping comes first: the goodbye is said while shards are still being ended, so that no new request is sent here.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await endpoints.Listening.WaitAsync(ending.Token).ConfigureAwait(false);
            while (true)
            {
                await RunOnceAsync(ending.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            await LeaveAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Joins, and renews until the lease is lost. What goes wrong is logged, and followed by a pause.</summary>
    internal async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            var change = membership.NextChange;
            _lease = await membership.JoinAsync(cancellationToken).ConfigureAwait(false);
            LogJoined(identity.Id, _lease.ClusterId, _lease.Duration.TotalSeconds);
            (_failures, _problem) = (0, null);
            await RenewAsync(change, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException error) when (!cancellationToken.IsCancellationRequested)
        {
            var lost = _lease is not null;
            _lease = null;
            _failures++;
            Log(error, lost);
            if (lost && error.StatusCode == StatusCode.NotFound)
            {
                return;
            }

            await Task.Delay(Backoff.Delay(_failures, Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
        catch (JoinRefusedException error) when (!cancellationToken.IsCancellationRequested)
        {
            _lease = null;
            _failures++;
            // Told once: it stays true until a person does something.
            if (_problem != error.Message)
            {
                LogCannotJoin(_problem = error.Message);
            }

            await Task.Delay(Backoff.Delay(_failures, Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is RpcException or JoinRefusedException)
        {
            throw new OperationCanceledException("The agent is ending.", error, cancellationToken);
        }
    }

    /// <summary>Ends when the node has to be described again, which a new join does; else by an exception: the lease is lost, or the agent ends.</summary>
    private async Task RenewAsync(Task change, CancellationToken cancellationToken)
    {
        for (ulong sequence = 1; ; sequence++)
        {
            try
            {
                await change.WaitAsync(_lease!.RenewInterval, time, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException)
            {
                // Nothing has changed for as long as the lease may go without a word.
            }

            _lease = await membership.RenewAsync(_lease!, sequence, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LeaveAsync()
    {
        if (_lease is not { } lease)
        {
            return;
        }

        try
        {
            await membership.LeaveAsync(lease, "The agent is ending.").ConfigureAwait(false);
            LogLeft(identity.Id);
        }
        catch (RpcException error)
        {
            LogLeaveFailed(error.StatusCode, error.Status.Detail);
        }
        catch (JoinRefusedException error)
        {
            LogLeaveFailed(StatusCode.Unauthenticated, error.Message);
        }
    }

    private void Log(RpcException error, bool lost)
    {
        switch (error.StatusCode)
        {
            case StatusCode.AlreadyExists:
                LogTaken(identity.Id, error.Status.Detail);
                break;
            case StatusCode.Unauthenticated:
                membership.NoteRefused(error.Status.Detail);
                break;
            case StatusCode.NotFound when lost:
                LogForgotten(identity.Id);
                break;
            default:
                // The first failure of a row is news; the rest would only fill the log while the Coordinator is down.
                LogUnreachable(_failures == 1 ? LogLevel.Warning : LogLevel.Debug, error.StatusCode, error.Status.Detail);
                break;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} has joined cluster {ClusterId}; its lease lasts {Seconds} s")]
    private partial void LogJoined(string nodeId, string clusterId, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {NodeId} has left the cluster")]
    private partial void LogLeft(string nodeId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Coordinator was not told of this node's end ({Status}: {Detail}); its lease will end by itself")]
    private partial void LogLeaveFailed(StatusCode status, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Another live agent is node {NodeId} already: {Detail} End it, or give this one its own id (Node:Id). Trying again")]
    private partial void LogTaken(string nodeId, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "This node is in no cluster: {Problem} Trying again")]
    private partial void LogCannotJoin(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The Coordinator does not know node {NodeId} any more; joining again")]
    private partial void LogForgotten(string nodeId);

    [LoggerMessage(Message = "The Coordinator can't be reached ({Status}: {Detail}); trying again until it can")]
    private partial void LogUnreachable(LogLevel level, StatusCode status, string detail);
}
