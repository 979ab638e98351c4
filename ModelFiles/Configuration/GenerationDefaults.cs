using System.Collections.Immutable;

namespace ClusterLlm.ModelFiles;

/// <summary>What generation_config.json recommends; a field that it leaves out is null.</summary>
public sealed record GenerationDefaults(
    bool? DoSample,
    double? Temperature,
    double? TopP,
    int? TopK,
    double? MinP,
    double? RepetitionPenalty,
    int? MaxNewTokens,
    ImmutableArray<int> EosTokenIds)
{
    private const long MaxBytes = 1 << 20;

    /// <summary>No recommendation.</summary>
    public static GenerationDefaults None { get; } = new(null, null, null, null, null, null, null, []);

    /// <summary>Reads the file of a folder; <see cref="None"/> when there is none.</summary>
    /// <exception cref="ModelFileException">The file is there, and a field of it is of the wrong type or out of its range.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var path = Path.Combine(folder, "generation_config.json");
        return File.Exists(path) ? Parse(ModelFileReader.ReadBytes(path, MaxBytes), path) : None;
    }

    /// <summary>Parses the bytes of a generation_config.json.</summary>
    public static GenerationDefaults Parse(ReadOnlyMemory<byte> json, string path)
    {
        ConfigFields fields = new(path, ModelFileReader.ParseObject(json, path));
        return new GenerationDefaults(
            fields.Boolean("do_sample"),
            fields.Double("temperature", 0, 100),
            fields.Double("top_p", 0, 1),
            fields.Int32("top_k", 0, int.MaxValue),
            fields.Double("min_p", 0, 1),
            fields.Double("repetition_penalty", 1e-3, 1e3),
            fields.Int32("max_new_tokens", 1, int.MaxValue),
            [.. fields.TokenIds("eos_token_id")]);
    }
}
