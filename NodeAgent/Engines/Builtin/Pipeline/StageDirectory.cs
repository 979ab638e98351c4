using System.Collections.Concurrent;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Pipeline;

/// <summary>The stages that run in this process, found by what a neighbour says in its hello.</summary>
internal sealed class StageDirectory
{
    private readonly ConcurrentDictionary<(string Deployment, int Generation, int Rank), IStageEndpoint> _stages = new();

    /// <exception cref="ShardException">The same rank runs here already.</exception>
    public void Add(IStageEndpoint stage)
    {
        if (!_stages.TryAdd(Key(stage.Spec), stage))
        {
            throw new ShardException(
                $"Rank {stage.Spec.Rank} of deployment {stage.Spec.DeploymentId}, generation {stage.Spec.Generation}, runs here already: stop it first.");
        }
    }

    public void Remove(IStageEndpoint stage) => _stages.TryRemove(new(Key(stage.Spec), stage));

    public IStageEndpoint? Find(string deploymentId, int generation, int rank) => _stages.GetValueOrDefault((deploymentId, generation, rank));

    private static (string Deployment, int Generation, int Rank) Key(ShardSpec spec) => (spec.DeploymentId, spec.Generation, spec.Rank);
}
