using Grpc.Core;

namespace ClusterLlm.Coordinator.Nodes;

/// <summary>Long-lived gRPC channels to the agents.</summary>
internal interface INodeChannels
{
    /// <summary>An invoker for calls to a node; <see langword="null"/> when the node is not known.</summary>
    CallInvoker? Find(string nodeId);
}
