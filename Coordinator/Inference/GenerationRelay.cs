using System.Diagnostics;
using System.Text.Json;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Protos.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Sends a request to the agent of rank 0 and passes on what it answers.</summary>
internal sealed partial class GenerationRelay(
    INodeChannels channels,
    InferenceMetrics metrics,
    IOptions<InferenceOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<GenerationRelay> logger)
{
    /// <summary>For the status of a call whose last event has come.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    private static readonly ApiError ShuttingDown =
        ApiError.Unavailable("The coordinator is shutting down. The answer so far is not complete.", "shutting_down", 2);

    /// <summary>Runs one generation to its end. Failures become part of the answer; nothing is thrown but what writing to the client throws.</summary>
    /// <param name="body">As the client sent it.</param>
    /// <param name="clientGone">Cancelled when the client goes away; ends the work on all stages.</param>
    public async Task RunAsync(Generation generation, ReadOnlyMemory<byte> body, IAnswer answer, CancellationToken clientGone)
    {
        using var active = metrics.Begin(generation.Request);
        using var activity = InferenceTraces.Start(generation.Request, generation.Identity, generation.Route);
        var progress = new RelayProgress(time.GetTimestamp(), activity);
        // Ctrl+C must not wait for a long answer: its client is told, and may try again.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(clientGone, lifetime.ApplicationStopping);
        try
        {
            if (await RelayAsync(generation, body, answer, progress, ends.Token) is { } error)
            {
                await FailAsync(generation, answer, progress, error, clientGone);
            }
        }
        catch (Exception failure) when (clientGone.IsCancellationRequested && failure is OperationCanceledException or IOException)
        {
            NoteClientGone(generation, progress);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await FailAsync(generation, answer, progress, ShuttingDown, clientGone);
        }
    }

    /// <returns>The error to answer with, or <see langword="null"/> when the answer is complete.</returns>
    private async Task<ApiError?> RelayAsync(Generation generation, ReadOnlyMemory<byte> body, IAnswer answer, RelayProgress progress, CancellationToken cancellationToken)
    {
        var nodeId = generation.Route.RankZeroNodeId!;
        if (channels.Find(nodeId) is not { } invoker)
        {
            return ApiError.Unavailable($"Node '{nodeId}', which answers for '{generation.Request.Model}', is not connected.", "node_unavailable", 1);
        }

        try
        {
            using var call = new InferenceService.InferenceServiceClient(invoker).Generate(ToRequest(generation, body), cancellationToken: cancellationToken);
            return await PassOnAsync(generation, call.ResponseStream, answer, progress, cancellationToken);
        }
        catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
        {
            return AgentErrors.From(failure, nodeId);
        }
        catch (RpcException failure)
        {
            throw new OperationCanceledException("The generation was cancelled.", failure, cancellationToken);
        }
        catch (JsonException failure)
        {
            LogBadChunk(generation.Identity.RequestId, nodeId, failure.Message);
            return ApiError.Internal($"Node '{nodeId}' sent a chunk that is not valid: {failure.Message}");
        }
    }

    private async Task<ApiError?> PassOnAsync(
        Generation generation, IAsyncStreamReader<GenerateEvent> events, IAnswer answer, RelayProgress progress, CancellationToken cancellationToken)
    {
        while (await NextAsync(events, answer, cancellationToken))
        {
            var current = events.Current;
            switch (current.EventCase)
            {
                case GenerateEvent.EventOneofCase.Chunk:
                    answer.Add(current.Chunk);
                    NoteFirstToken(generation, progress);
                    break;
                case GenerateEvent.EventOneofCase.Finished:
                    await answer.FinishAsync(current.Finished, cancellationToken);
                    Complete(generation, progress, current.Finished);
                    await EndAsync(events, cancellationToken);
                    return null;
                case GenerateEvent.EventOneofCase.Error:
                    await answer.FlushAsync(cancellationToken);
                    return AgentErrors.From(current.Error);
            }
        }

        return AgentErrors.EndedEarly(generation.Route.RankZeroNodeId!);
    }

    /// <summary>Reads on to the call's status: one that is disposed of before counts as cancelled, and its spans as failed. The answer is complete whatever comes.</summary>
    private async Task EndAsync(IAsyncStreamReader<GenerateEvent> events, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(EndLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (await events.MoveNext(either.Token))
            {
                LogAfterEnd(events.Current.EventCase);
            }
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException)
        {
            LogEndedBadly(failure.Message);
        }
    }

    /// <summary>
    /// Waits for the next event. What is buffered is sent only when none is ready: tokens that come together leave in one write, and each alone at once.
    /// </summary>
    private async ValueTask<bool> NextAsync(IAsyncStreamReader<GenerateEvent> events, IAnswer answer, CancellationToken cancellationToken)
    {
        var next = events.MoveNext(cancellationToken);
        if (next.IsCompleted)
        {
            return await next;
        }

        await answer.FlushAsync(cancellationToken);
        while (true)
        {
            try
            {
                return await next.WaitAsync(options.Value.KeepAliveInterval, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The event may have come in this moment: then the next round returns it.
                await answer.KeepAliveAsync(cancellationToken);
            }
        }
    }

    private void NoteFirstToken(Generation generation, RelayProgress progress)
    {
        if (progress.FirstToken is null)
        {
            progress.FirstToken = time.GetElapsedTime(progress.StartedAt);
            metrics.FirstToken(generation.Request, progress.FirstToken.Value);
        }
    }

    private void Complete(Generation generation, RelayProgress progress, GenerateFinished finished)
    {
        var elapsed = time.GetElapsedTime(progress.StartedAt);
        var firstToken = progress.FirstToken ?? elapsed;
        metrics.Completed(generation.Request, finished, elapsed, firstToken);
        InferenceTraces.Finish(progress.Activity, finished, firstToken);
        LogCompleted(generation.Identity.RequestId, generation.Request.Model, finished.PromptTokens, finished.CompletionTokens, elapsed.TotalMilliseconds);
    }

    private async Task FailAsync(Generation generation, IAnswer answer, RelayProgress progress, ApiError error, CancellationToken clientGone)
    {
        var type = error.Code ?? error.Status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        metrics.Failed(generation.Request, type, time.GetElapsedTime(progress.StartedAt));
        InferenceTraces.Fail(progress.Activity, type, error.Message);
        LogFailed(error.Status >= StatusCodes.Status500InternalServerError ? LogLevel.Warning : LogLevel.Debug, generation.Identity.RequestId, error.Status, error.Message);
        await answer.FailAsync(error, clientGone);
    }

    private void NoteClientGone(Generation generation, RelayProgress progress)
    {
        var elapsed = time.GetElapsedTime(progress.StartedAt);
        metrics.ClientDisconnected(generation.Request, elapsed);
        InferenceTraces.Fail(progress.Activity, "client_disconnected", "The client went away.");
        LogClientGone(generation.Identity.RequestId, elapsed.TotalMilliseconds);
    }

    /// <summary>The body is wrapped, not copied: it is ours and stays as it is while the call runs.</summary>
    private static GenerateRequest ToRequest(Generation generation, ReadOnlyMemory<byte> body) => new()
    {
        DeploymentId = generation.Route.DeploymentId,
        RequestId = generation.Identity.CompletionId,
        Kind = generation.Request.Kind,
        Body = UnsafeByteOperations.UnsafeWrap(body),
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "Request {RequestId} to '{Model}' is answered: {PromptTokens} + {CompletionTokens} tokens in {Milliseconds} ms.")]
    private partial void LogCompleted(string requestId, string model, uint promptTokens, uint completionTokens, double milliseconds);

    [LoggerMessage(Message = "Request {RequestId} has failed with {Status}: {Reason}")]
    private partial void LogFailed(LogLevel level, string requestId, int status, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The client of request {RequestId} went away after {Milliseconds} ms.")]
    private partial void LogClientGone(string requestId, double milliseconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Event} came after the end of an answer.")]
    private partial void LogAfterEnd(GenerateEvent.EventOneofCase @event);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The call of a complete answer ended badly: {Reason}")]
    private partial void LogEndedBadly(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Node '{NodeId}' sent a chunk for request {RequestId} that is not valid: {Reason}")]
    private partial void LogBadChunk(string requestId, string nodeId, string reason);
}

/// <summary>A request with all that was decided about it.</summary>
internal sealed record Generation(InferenceRequest Request, AnswerIdentity Identity, InferenceRoute Route);

/// <summary>How far a relay is; one owner, no locks.</summary>
internal sealed class RelayProgress(long startedAt, Activity? activity)
{
    /// <summary>A timestamp of the <see cref="TimeProvider"/>.</summary>
    public long StartedAt { get; } = startedAt;

    public Activity? Activity { get; } = activity;

    public TimeSpan? FirstToken { get; set; }
}
