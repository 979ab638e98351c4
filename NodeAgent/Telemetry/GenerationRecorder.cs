using System.Diagnostics;
using ClusterLlm.NodeAgent.Engines;
using ClusterLlm.NodeAgent.Settings;

namespace ClusterLlm.NodeAgent.Telemetry;

/// <summary>Turns what a generation tells into one span and its metrics, where the tokens come out; never with text of prompt or answer.</summary>
internal sealed class GenerationRecorder(NodeMetrics metrics, NodeIdentity identity, TimeProvider time)
{
    private static readonly ActivitySource Source = new(NodeMetrics.MeterName);

    public GenerationRecording Start(ShardSpec spec, GenerationRequest request)
    {
        var operation = request.Kind == RequestKind.ChatCompletion ? "chat" : "text_completion";
        var model = Path.GetFileName(Path.TrimEndingDirectorySeparator(spec.Model));
        TagList tags = new()
        {
            { "gen_ai.operation.name", operation },
            { "gen_ai.provider.name", "clusterllm" },
            { "gen_ai.request.model", model },
        };
        var activity = Source.StartActivity($"{operation} {model}", ActivityKind.Internal, parentContext: default, tags);
        activity?.SetTag("clusterllm.node.id", identity.Id);
        activity?.SetTag("clusterllm.deployment.id", spec.DeploymentId);
        activity?.SetTag("clusterllm.request.id", request.RequestId);
        return new GenerationRecording(metrics, activity, tags, time);
    }
}
