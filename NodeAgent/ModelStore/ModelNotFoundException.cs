namespace ClusterLlm.NodeAgent.ModelStore;

/// <summary>No model of that id or path is here; the message says where was looked.</summary>
internal sealed class ModelNotFoundException(string message) : Exception(message);
