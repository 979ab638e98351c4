using System.Globalization;
using System.Text.Json;

namespace ClusterLlm.Integration.Comparisons;

/// <summary>What a finished comparison says.</summary>
internal sealed class SeenComparison(JsonElement record)
{
    public string State => record.GetProperty("state").GetString()!;

    public string? Reason => record.GetProperty("reason").GetString();

    public string Headline => Verdict.GetProperty("headline").GetString()!;

    /// <summary>For one request and for the most at once.</summary>
    public (string One, string Many) Answers => (One.GetProperty("answer").GetString()!, Many.GetProperty("answer").GetString()!);

    /// <summary>Nodes of the winner for many requests, in the order of their stages; of the one for one request when only that was measured.</summary>
    public string[] Winner => [.. Stages(WinnerFinding.GetProperty("winner").GetString()!).Select(stage => stage.Node)];

    public string Why => string.Join(' ', One.GetProperty("why").EnumerateArray().Select(why => why.GetString()));

    /// <summary>How many requests at once make the cluster better; <see langword="null"/> when there is no such point.</summary>
    public double? BreakEven => Verdict.GetProperty("breakEven").GetProperty("concurrency") is { ValueKind: JsonValueKind.Number } at ? at.GetDouble() : null;

    public IEnumerable<string> Notes => record.GetProperty("notes").EnumerateArray().Select(note => note.GetString()!);

    private JsonElement Verdict => record.GetProperty("verdict");

    private JsonElement One => Verdict.GetProperty("oneRequest");

    private JsonElement Many => Verdict.GetProperty("manyRequests");

    private JsonElement WinnerFinding => Many.GetProperty("answer").GetString() == "nothing" ? One : Many;

    /// <summary>Prompt tokens of all requests that an engine did not compute.</summary>
    public int CachedTokens => record.GetProperty("samples").EnumerateArray().Sum(sample => sample.GetProperty("cachedTokens").GetInt32());

    /// <summary>Watts of all samples that have some.</summary>
    public IEnumerable<double> Powers => record.GetProperty("samples").EnumerateArray()
        .Select(sample => sample.GetProperty("powerWatts")).Where(watts => watts.ValueKind == JsonValueKind.Number).Select(watts => watts.GetDouble());

    /// <summary>Engines with their versions that the candidates ran on, and how each one's greedy answer compares with the others'.</summary>
    public IEnumerable<(string Engine, string Answer)> Checked => Candidates.Select(one => (one.GetProperty("engineVersion").GetString()!, one.GetProperty("answerCheck").GetString()!));

    /// <summary>Cells of a candidate for which a speed was predicted.</summary>
    public int PredictedCellsOf(string label) => Candidates.Single(one => one.GetProperty("candidate").GetProperty("label").GetString() == label)
        .GetProperty("predictions").EnumerateArray().Count(cell => cell.GetProperty("aggregateTokensPerSecond").GetProperty("value").GetDouble() > 0);

    private IEnumerable<JsonElement> Candidates => record.GetProperty("candidates").EnumerateArray();

    /// <summary>State and reason of each candidate, by its label.</summary>
    public IReadOnlyDictionary<string, (string State, string? Reason)> States => Candidates.ToDictionary(
        one => one.GetProperty("candidate").GetProperty("label").GetString()!,
        one => (one.GetProperty("state").GetString()!, one.GetProperty("reason").GetString()));

    /// <summary>Layers that the winner has on a node.</summary>
    public int LayersOn(string node) => Stages(WinnerFinding.GetProperty("winner").GetString()!).Where(stage => stage.Node == node).Sum(stage => stage.Layers);

    /// <summary>Samples of a candidate that count.</summary>
    public int SamplesOf(string label)
    {
        var id = Candidates.Single(one => one.GetProperty("candidate").GetProperty("label").GetString() == label).GetProperty("candidate").GetProperty("id").GetString();
        return record.GetProperty("samples").EnumerateArray()
            .Count(sample => sample.GetProperty("candidateId").GetString() == id && sample.GetProperty("problem").ValueKind == JsonValueKind.Null);
    }

    /// <summary>For the log of a test: what was measured of each candidate, and what was said of it.</summary>
    public override string ToString()
    {
        var rounds = 1 + record.GetProperty("samples").EnumerateArray().Select(sample => sample.GetProperty("round").GetInt32()).DefaultIfEmpty(-1).Max();
        var said = Verdict.ValueKind == JsonValueKind.Object ? $"{Headline}\n  {One.GetProperty("sentence")}\n  {Many.GetProperty("sentence")}" : $"{State}: {Reason}";
        return $"{rounds} rounds. {said}\n  {string.Join("\n  ", Candidates.Select(Line))}\n  {string.Join("\n  ", Notes)}";
    }

    private string Line(JsonElement candidate)
    {
        var id = candidate.GetProperty("candidate").GetProperty("id").GetString()!;
        var cells = record.GetProperty("samples").EnumerateArray().Where(sample => sample.GetProperty("candidateId").GetString() == id)
            .GroupBy(sample => sample.GetProperty("cell").GetProperty("concurrency").GetInt32())
            .Select(cell => $"x{cell.Key} {string.Join('/', cell.Select(sample => sample.GetProperty("aggregateTokensPerSecond").GetDouble().ToString("0.#", CultureInfo.InvariantCulture)))}");
        return $"{string.Join(", ", Stages(id).Select(stage => $"{stage.Node}:{stage.Layers}"))} {candidate.GetProperty("state")}: {string.Join("; ", cells)} {candidate.GetProperty("reason")}";
    }

    private IEnumerable<(string Node, int Layers)> Stages(string id) => Candidates
        .Single(one => one.GetProperty("candidate").GetProperty("id").GetString() == id)
        .GetProperty("stages").EnumerateArray().Select(stage => (stage.GetProperty("nodeId").GetString()!, stage.GetProperty("layerCount").GetInt32()));
}
