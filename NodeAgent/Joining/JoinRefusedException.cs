namespace ClusterLlm.NodeAgent.Joining;

/// <summary>The node can't join as things are; the message says why and what to do, and holds no secret.</summary>
internal sealed class JoinRefusedException : Exception
{
    public JoinRefusedException(string message)
        : base(message)
    {
    }

    public JoinRefusedException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
