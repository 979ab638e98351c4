using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Catalog;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Planning;

/// <summary>Answers planning questions: finds the model (on the nodes, built in, on the hub) and asks the pure planner.</summary>
internal sealed class PlanService(
    NodeRegistry nodes, DeploymentRegistry deployments, ModelResolver models, HubClient hub, CalibrationRegistry calibrations, DeploymentPlanner planner)
{
    public async Task<PlanAnswer> AnswerAsync(PlanQuestion question, CancellationToken cancellationToken)
    {
        var resolution = await models.ResolveAsync(question.Spec.Model, cancellationToken);
        if (resolution is ModelResolution.Found found)
        {
            var spec = found.Model.Description.ToSpec();
            return PlanAnswers.Answer(
                question,
                ClusterSnapshots.Build(nodes.Current.Values, [.. deployments.Current.Values], found.Model, null, calibrations.Links, calibrations.Of),
                spec,
                ModelCatalog.BuiltIn.Find(spec.Id) is { } entry ? HeaderModel.Differences(entry.Spec, spec) : [],
                plan => planner.FindBad(found.Model, plan));
        }

        if (resolution is ModelResolution.Broken broken)
        {
            return new PlanAnswer.Refused(broken.Message, [new Rejection("model", "model", broken.Message)], null);
        }

        if (ModelCatalog.BuiltIn.Find(question.Spec.Model) is { } known)
        {
            return PlanAnswers.Answer(question, WithoutFiles(), known.Spec, [$"{known.Id} is a built-in entry: {known.Source}."], _ => null);
        }

        return question.Spec.Model.Split('/') is [{ Length: > 0 }, { Length: > 0 }]
            ? await FromHubAsync(question, cancellationToken)
            : Unknown(question.Spec.Model);
    }

    private async Task<PlanAnswer> FromHubAsync(PlanQuestion question, CancellationToken cancellationToken)
    {
        var answer = await hub.FindAsync(question.Spec.Model, cancellationToken);
        return answer.Model is { } model
            ? PlanAnswers.Answer(question, WithoutFiles(), model, [$"{model.Id} was read from the hub: config.json and headers."], _ => null)
            : new PlanAnswer.NoModel(answer.Problem!, NearestNames.Find(question.Spec.Model, Names(), 3));
    }

    private PlanAnswer.NoModel Unknown(string model)
    {
        var nearest = NearestNames.Find(model, Names(), 3);
        return new PlanAnswer.NoModel(
            $"No node has a model '{model}', and it is not in the catalogue. "
                + (nearest.IsEmpty ? "GET /api/models and GET /api/catalog/models list those there are." : $"Near to it: {string.Join(", ", nearest)}."),
            nearest);
    }

    private IEnumerable<string> Names() => ModelCatalog.BuiltIn.Models.Select(model => model.Id).Concat(models.KnownIds);

    /// <summary>The cluster as if every node had the files: for models that nobody has downloaded yet.</summary>
    private ClusterSnapshot WithoutFiles() => new([.. nodes.Current.Values.OrderBy(node => node.NodeId, StringComparer.Ordinal).Select(Capacity)], calibrations.Links)
    {
        Knowledge = BuiltInKnowledge.Planning,
    };

    private NodeCapacity Capacity(NodeSnapshot node) => new(
        node.NodeId,
        node.Facts.MachineId,
        node.Facts.Chip,
        node.Facts.GpuCores,
        node.Facts.CpuCores,
        node.Facts.MemoryTotalBytes,
        node.MemoryUsableBytes,
        ClusterSnapshots.CommittedBytes(node.NodeId, deployments.Current.Values, null),
        [.. node.Facts.Engines.Where(engine => engine.Available).Select(engine => engine.Name)],
        node.State == NodeState.Ready ? null : $"It is {node.State.ToString().ToLowerInvariant()}.")
    {
        Calibrations = calibrations.Of(node),
    };
}
