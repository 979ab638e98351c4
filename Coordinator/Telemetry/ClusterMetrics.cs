using System.Diagnostics.Metrics;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Nodes;

namespace ClusterLlm.Coordinator.Telemetry;

/// <summary>The cluster's state as metrics, read when they are collected.</summary>
internal sealed class ClusterMetrics : IDisposable
{
    public const string MeterName = "ClusterLlm.Coordinator";

    private readonly Meter _meter;

    public ClusterMetrics(IMeterFactory meters, NodeRegistry nodes, DeploymentRegistry deployments)
    {
        _meter = meters.Create(MeterName);
        _meter.CreateObservableGauge(
            "clusterllm.nodes",
            () => Enum.GetValues<NodeState>().Select(state => Count(nodes.Current.Values.Count(node => node.State == state), state)),
            "{node}",
            "Nodes by state.");
        _meter.CreateObservableGauge(
            "clusterllm.deployments",
            () => Enum.GetValues<DeploymentState>().Select(state => Count(deployments.Current.Values.Count(each => each.State == state), state)),
            "{deployment}",
            "Deployments by state.");
        _meter.CreateObservableGauge(
            "clusterllm.node.decode_rate",
            () => nodes.Current.Values.Where(node => node.IsUsable).Select(node =>
                new Measurement<double>(node.Reading?.DecodeTokensPerSecond ?? 0, new KeyValuePair<string, object?>("clusterllm.node.id", node.NodeId))),
            "{token}/s",
            "Tokens decoded per second on each node, over the last 10 s.");
        _meter.CreateObservableGauge(
            "clusterllm.node.memory.committed",
            () => nodes.Current.Values.Select(node =>
                new Measurement<long>(deployments.CommittedBytes(node.NodeId), new KeyValuePair<string, object?>("clusterllm.node.id", node.NodeId))),
            "By",
            "Memory that deployments hold or are promised on each node.");
    }

    public void Dispose() => _meter.Dispose();

    private static Measurement<int> Count<T>(int count, T state)
        where T : struct, Enum => new(count, new KeyValuePair<string, object?>("clusterllm.state", System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(state.ToString())));
}
