namespace ClusterLlm.NodeAgent.Engines.Builtin.Threading;

/// <summary>Parallel work that is a method: made once and run for every layer of every step.</summary>
/// <param name="body">First item, end and worker.</param>
internal sealed class DelegateWork(Action<int, int, int> body) : IParallelWork
{
    public void Execute(int first, int end, int worker) => body(first, end, worker);
}
