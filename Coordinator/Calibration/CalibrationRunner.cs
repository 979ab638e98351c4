using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.Coordinator.Placement.Prediction;
using ClusterLlm.Protos.V1;
using Google.Protobuf;
using Grpc.Core;

namespace ClusterLlm.Coordinator.Calibration;

/// <summary>What came of a calibration.</summary>
internal sealed record CalibrationOutcome(EngineCalibration? Calibration, string? Note, string? Problem, int Status);

/// <summary>Measures a node: two models of different size are started on it alone, one after the other, and each decodes a short answer.</summary>
internal sealed class CalibrationRunner(
    NodeRegistry nodes,
    ModelRegistry models,
    DeploymentCommands commands,
    DeploymentRegistry deployments,
    INodeChannels channels,
    CalibrationRegistry registry,
    TimeProvider time) : IDisposable
{
    public const int ContextTokens = 256;
    private const int AnswerTokens = 96;
    private static readonly TimeSpan LoadLimit = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _one = new(1, 1);

    public void Dispose() => _one.Dispose();

    public async Task<CalibrationOutcome> RunAsync(string nodeId, string engine, CancellationToken cancellationToken)
    {
        if (!await _one.WaitAsync(TimeSpan.Zero, cancellationToken))
        {
            return Refused(StatusCodes.Status409Conflict, "Another calibration runs; two at once would measure each other. Try again when it is done.");
        }

        try
        {
            var node = nodes.Current[nodeId];
            if (node.State != NodeState.Ready || node.Facts.Engines.FirstOrDefault(one => one.Name == engine && one.Available) is not { } fact)
            {
                return Refused(StatusCodes.Status422UnprocessableEntity, $"Node {nodeId} is {node.State.ToString().ToLowerInvariant()} or has no engine {engine}; it can't be measured.");
            }

            return models.Current.TryGetValue(nodeId, out var inventory)
                && CalibrationModels.Choose(CalibrationModels.Loadable(inventory, node, engine)) is { } pair
                    ? await MeasureAsync(node, engine, fact.Version, pair.Small, pair.Large, cancellationToken)
                    : Refused(StatusCodes.Status422UnprocessableEntity, $"Node {nodeId} has no two models of different size that {engine} loads; put a small and a larger one into its model folder.");
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<CalibrationOutcome> MeasureAsync(
        NodeSnapshot node, string engine, string version, ModelSpec small, ModelSpec large, CancellationToken cancellationToken)
    {
        var points = new List<CalibrationPoint>();
        foreach (var model in (ModelSpec[])[small, large])
        {
            var (milliseconds, problem) = await StepAsync(node.NodeId, engine, model, cancellationToken);
            if (problem is not null)
            {
                return Refused(StatusCodes.Status502BadGateway, $"{model.Id} on {node.NodeId}: {problem}");
            }

            points.Add(Point(node, engine, model, milliseconds));
        }

        var chip = ChipCatalog.BuiltIn.Find(node.Facts.Chip, node.Facts.GpuCores, node.Facts.CpuCores);
        if (CalibrationSolver.Solve(points[0], points[1], chip.BandwidthBytesPerSecond) is not { } solved)
        {
            return Refused(StatusCodes.Status422UnprocessableEntity, $"{small.Id} and {large.Id} are too alike to tell reading from the cost per layer.");
        }

        var calibration = new EngineCalibration(
            engine, version, node.Facts.OperatingSystem, Math.Round(solved.BandwidthShare, 4), Math.Round(solved.LayerMilliseconds, 4), time.GetUtcNow());
        await registry.SaveAsync(node.NodeId, calibration, cancellationToken);
        return new CalibrationOutcome(calibration, solved.Note, null, StatusCodes.Status200OK);
    }

    private static CalibrationPoint Point(NodeSnapshot node, string engine, ModelSpec model, double milliseconds)
    {
        var facts = Placement.Prediction.EngineFacts.Of(engine);
        var capacity = new NodeCapacity(node.NodeId, "", node.Facts.Chip, node.Facts.GpuCores, node.Facts.CpuCores, 0, 0, 0, [engine], null);
        var cache = NodeSpeed.Decode(capacity, BuiltInKnowledge.Planning, facts, model, 0, model.LayerCount, AnswerTokens / 2.0, 1).Cache;
        return new CalibrationPoint(ModelWork.Decode(model, 0, model.LayerCount, 0, 1).WeightBytes, model.LayerCount, cache, milliseconds);
    }

    /// <summary>Milliseconds per token of a short answer; the deployment is stopped and forgotten in any case.</summary>
    private async Task<(double Milliseconds, string? Problem)> StepAsync(string nodeId, string engine, ModelSpec model, CancellationToken cancellationToken)
    {
        var context = model.MaxContextTokens > 0 ? Math.Min(ContextTokens, model.MaxContextTokens) : ContextTokens;
        var spec = new DeploymentSpec($"calibration-{Guid.NewGuid():N}"[..24], model.Id, PlacementObjective.Balanced, context, 1, engine, [nodeId], [], UseAllNodes: true);
        if (await commands.DeployAsync(spec, cancellationToken) is not DeployResult.Accepted accepted)
        {
            return (0, "it can't be placed on the node now; other deployments may hold its memory.");
        }

        var id = accepted.Deployment.Id;
        try
        {
            return await ReadyAsync(id, cancellationToken) is { } problem ? (0, problem) : await GenerateAsync(id, nodeId, Math.Min(AnswerTokens, context / 2), cancellationToken);
        }
        catch (RpcException e)
        {
            return (0, $"the agent ended the measurement: {e.Status.Detail}");
        }
        finally
        {
            // The caller may have gone; its shard must go as well. And what is planned next finds its memory free.
            await commands.StopAndForgetAsync(id, CancellationToken.None);
        }
    }

    private async Task<string?> ReadyAsync(string id, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LoadLimit);
        using var changes = deployments.Subscribe();
        try
        {
            if (State(changes.First, id) is { } now)
            {
                return now.Problem;
            }

            await foreach (var all in changes.ChangesAsync(limit.Token))
            {
                if (State(all, id) is { } state)
                {
                    return state.Problem;
                }
            }

            return "the Coordinator is stopping.";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"it was not ready within {LoadLimit.TotalMinutes:0} minutes.";
        }
    }

    private static (string? Problem, bool Done)? State(ImmutableSortedDictionary<string, Deployment> all, string id) =>
        !all.TryGetValue(id, out var deployment) ? ("it was removed while it was measured.", true)
        : deployment.State == DeploymentState.Ready ? (null, true)
        : deployment.State is DeploymentState.Failed or DeploymentState.Stopped ? (deployment.Reason ?? "it failed to start.", true)
        : null;

    private async Task<(double Milliseconds, string? Problem)> GenerateAsync(string deploymentId, string nodeId, int tokens, CancellationToken cancellationToken)
    {
        if (channels.Find(nodeId) is not { } invoker)
        {
            return (0, "the node is not connected.");
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(new { model = deploymentId, prompt = "Count: one, two, three,", max_tokens = tokens, temperature = 0, ignore_eos = true });
        using var call = new InferenceService.InferenceServiceClient(invoker).Generate(
            new GenerateRequest { DeploymentId = deploymentId, RequestId = $"{deploymentId}-calibration", Kind = RequestKind.Completion, Body = ByteString.CopyFrom(body) },
            cancellationToken: cancellationToken);
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
            switch (call.ResponseStream.Current.EventCase)
            {
                case GenerateEvent.EventOneofCase.Finished when call.ResponseStream.Current.Finished is { CompletionTokens: > 1, DecodeMs: > 0 } finished:
                    return (finished.DecodeMs / (finished.CompletionTokens - 1), null);
                case GenerateEvent.EventOneofCase.Finished:
                    return (0, "its answer was too short to time.");
                case GenerateEvent.EventOneofCase.Error:
                    return (0, call.ResponseStream.Current.Error.Message);
            }
        }

        return (0, "the answer ended early.");
    }

    private static CalibrationOutcome Refused(int status, string problem) => new(null, null, problem, status);
}
