using System.Collections.Immutable;
using ClusterLlm.Coordinator.Calibration;
using ClusterLlm.Coordinator.Comparisons.Candidates;
using ClusterLlm.Coordinator.Comparisons.Workloads;
using ClusterLlm.Coordinator.Deployments;
using ClusterLlm.Coordinator.Models;
using ClusterLlm.Coordinator.Nodes;
using ClusterLlm.ModelFiles;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Comparisons.Running;

/// <summary>All that a run needs to know before it begins.</summary>
/// <param name="Question">For planning its candidates.</param>
/// <param name="MissingEngines">A sentence for each asked engine that no node has.</param>
/// <param name="Smaller">The same for the smaller model; <see langword="null"/> when none was asked for.</param>
internal sealed record PreparedComparison(
    ModelSummary Model,
    ImmutableArray<MachineSummary> Machines,
    ImmutableArray<Cell> Cells,
    CandidateQuestion Question,
    PromptMaker Prompts,
    ImmutableArray<string> MissingEngines,
    CandidateQuestion? Smaller,
    PromptMaker? SmallerPrompts)
{
    public PromptMaker PromptsOf(Candidate one) => one.Kind == CandidateKind.Smaller ? SmallerPrompts! : Prompts;
}

/// <summary>Reads model, tokenizer and nodes as they are now.</summary>
internal sealed class ComparisonInputs(
    ModelResolver models, NodeRegistry nodes, DeploymentRegistry deployments, CalibrationRegistry calibrations, ClusterHome home)
{
    /// <returns>What was read, or why nothing can be compared.</returns>
    public async Task<(PreparedComparison? Prepared, string? Problem)> PrepareAsync(ComparisonSpec spec, CancellationToken cancellationToken)
    {
        var (model, problem) = await FindAsync(spec.Model, cancellationToken);
        var (smaller, smallerProblem) = spec.SmallerModel is { } other && problem is null ? await FindAsync(other, cancellationToken) : (null, null);
        if ((problem ?? smallerProblem ?? UnknownNodes(spec)) is { } fault)
        {
            return (null, fault);
        }

        var longest = (int)Math.Min(model!.Description.MaxContextTokens, int.MaxValue);
        var cells = spec.Cells.IsEmpty ? CellChoice.Default(longest) : spec.Cells;
        if (longest > 0 && CellChoice.ContextTokens(cells) > longest)
        {
            return (null, $"The longest cell needs {CellChoice.ContextTokens(cells)} tokens of context; {model.ModelId} has {longest}. Ask for shorter prompts or answers.");
        }

        var missing = MissingEngines(spec);
        if (missing.Length > 0 && missing.Length == spec.Engines.Length)
        {
            return (null, string.Join(' ', missing));
        }

        var (prompts, source) = Prompts(model);
        var summary = new ModelSummary(
            model.ModelId,
            model.Description.WeightFormat,
            (int)model.Description.LayerCount,
            (long)model.Description.TotalBytes,
            model.Description.ToSpec().ActiveBytes,
            longest,
            model.Description.Fingerprint,
            source);
        var question = Question(spec, spec.Model, model, cells);
        return (new PreparedComparison(
            summary,
            [.. nodes.Current.Values.Where(node => Takes(spec, node.NodeId)).Select(Machine)],
            cells,
            question,
            prompts,
            missing,
            smaller is null ? null : Question(spec, spec.SmallerModel!, smaller, cells),
            smaller is null ? null : Prompts(smaller).Maker), null);
    }

    private static bool Takes(ComparisonSpec spec, string nodeId) => spec.Nodes.IsEmpty || spec.Nodes.Contains(nodeId);

    private async Task<(ResolvedModel? Model, string? Problem)> FindAsync(string model, CancellationToken cancellationToken) =>
        await models.ResolveAsync(model, cancellationToken) switch
        {
            ModelResolution.Found found => (found.Model, null),
            ModelResolution.Unknown unknown => (null, unknown.Message),
            ModelResolution.Broken broken => (null, broken.Message),
            var other => throw new InvalidOperationException($"Unknown resolution {other.GetType().Name}."),
        };

    private string? UnknownNodes(ComparisonSpec spec) =>
        spec.Nodes.Concat(spec.Layers.Select(stage => stage.NodeId)).FirstOrDefault(id => !nodes.Current.ContainsKey(id)) is { } unknown
            ? $"There is no node '{unknown}'; there are {string.Join(", ", nodes.Current.Keys)}."
            : null;

    private ImmutableArray<string> MissingEngines(ComparisonSpec spec)
    {
        var taking = nodes.Current.Values.Where(node => Takes(spec, node.NodeId)).OrderBy(node => node.NodeId, StringComparer.Ordinal).ToArray();
        return
        [
            .. from name in spec.Engines
               let facts = taking.Select(node => (node.NodeId, Engine: node.Facts.Engines.FirstOrDefault(engine => engine.Name == name))).ToArray()
               where !facts.Any(one => one.Engine is { Available: true })
               select $"Engine '{name}' was asked for, and no node has it: {string.Join("; ", facts.Select(one => $"{one.NodeId}: {one.Engine?.UnavailableReason ?? "it does not know it"}"))}.",
        ];
    }

    private CandidateQuestion Question(ComparisonSpec spec, string asked, ResolvedModel model, ImmutableArray<Cell> cells)
    {
        var cluster = ClusterSnapshots.Build(
            nodes.Current.Values.Where(node => Takes(spec, node.NodeId)), [.. deployments.Current.Values], model, null, calibrations.Links, calibrations.Of);
        return new CandidateQuestion(
            asked, cluster, model.Description.ToSpec(), CellShapes.Of(cells), CandidatePlanner.Engines(cluster, spec.Engines));
    }

    /// <summary>With the model's own tokenizer where its folder, or a copy in the Coordinator's model folder, can be read here.</summary>
    private (PromptMaker Maker, string Source) Prompts(ResolvedModel model)
    {
        var vocabulary = (int)Math.Max(8, model.Description.VocabularySize);
        string[] folders = [.. model.Holders.Values.Select(holder => holder.Path), Path.Combine(home.ModelsPath, model.ModelId)];
        var reason = "no folder with tokenizer.json can be read by the Coordinator";
        foreach (var folder in folders.Distinct().Where(folder => File.Exists(Path.Combine(folder, "tokenizer.json"))))
        {
            try
            {
                return (new PromptMaker(ModelTokenizer.Load(folder), vocabulary), "texts counted by the model's own tokenizer");
            }
            catch (ModelFileException unreadable)
            {
                reason = unreadable.Message;
            }
        }

        return (new PromptMaker(null, vocabulary), $"token ids, since {reason}");
    }

    private static MachineSummary Machine(NodeSnapshot node) => new(
        node.NodeId,
        node.Facts.Chip,
        node.Facts.GpuCores,
        node.Facts.CpuCores,
        node.Facts.MemoryTotalBytes,
        node.MemoryUsableBytes,
        node.Facts.OperatingSystem,
        node.Facts.AgentVersion,
        node.Facts.Engines.Where(engine => engine.Available).ToImmutableSortedDictionary(engine => engine.Name, engine => engine.Version, StringComparer.Ordinal),
        node.Facts.Engines.Select(engine => engine.ArtificialLimits).FirstOrDefault(limits => limits is not null));
}
