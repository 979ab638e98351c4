using System.Collections.Immutable;
using System.Text.Json;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>A model with one way of storing its weights.</summary>
/// <param name="Id">For example <c>qwen2.5-72b-4bit</c>.</param>
/// <param name="Repository">On the Hugging Face hub.</param>
/// <param name="Source">Where its figures come from.</param>
internal sealed record CatalogModel(string Id, string Name, string Repository, string Storage, string Source, ModelGeometry Geometry, ModelSpec Spec);

/// <summary>The models that people ask for, known without any file.</summary>
internal sealed class ModelCatalog
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    private ModelCatalog(ImmutableArray<CatalogModel> models) => Models = models;

    public static ModelCatalog BuiltIn { get; } = Parse(CatalogData.Read("models.json"));

    public ImmutableArray<CatalogModel> Models { get; }

    /// <exception cref="ModelConfigException">An entry's shape is incomplete.</exception>
    public static ModelCatalog Parse(string json)
    {
        var entries = JsonSerializer.Deserialize<Entry[]>(json, Options) ?? [];
        var shapes = entries.Where(entry => entry.Config is not null)
            .ToDictionary(entry => entry.Id, entry => ConfigReader.Read(entry.Config!.Value.GetRawText(), entry.Id), StringComparer.Ordinal);
        return new ModelCatalog(
        [
            .. from entry in entries
               let shape = shapes[entry.Like ?? entry.Id]
               from storage in entry.Storages.Select(StorageNamed)
               let id = $"{entry.Id}-{storage.Name}"
               select new CatalogModel(id, entry.Name, entry.Repository, storage.Name, entry.Source, shape, GeometryBytes.Spec(id, shape, storage)),
        ]);
    }

    /// <summary>By id, with or without the storage (then the smallest), in any case.</summary>
    public CatalogModel? Find(string id) =>
        Models.FirstOrDefault(model => model.Id.Equals(id, StringComparison.OrdinalIgnoreCase))
        ?? Models.Where(model => model.Id[..^(model.Storage.Length + 1)].Equals(id, StringComparison.OrdinalIgnoreCase)
                || model.Repository.Equals(id, StringComparison.OrdinalIgnoreCase))
            .MinBy(model => model.Spec.TotalBytes);

    /// <summary>Says that there is no such model, and which come near.</summary>
    public string Unknown(string id)
    {
        var near = NearestNames.Find(id, Models.Select(model => model.Id), 3);
        return $"Model '{id}' is not in the catalogue. "
            + (near.IsEmpty ? $"It knows {string.Join(", ", Models.Select(model => model.Id))}." : $"Near to it: {string.Join(", ", near)}.");
    }

    private static WeightStorage StorageNamed(string name) => name switch
    {
        "4bit" => new WeightStorage(name, 4.5, 4.5),
        "8bit" => new WeightStorage(name, 8.5, 8.5),
        "mxfp4" => new WeightStorage(name, 16, 4.25),
        "mxfp4-q8" => new WeightStorage(name, 8.5, 4.25),
        "bf16" => new WeightStorage(name, 16, 16),
        _ => throw new ModelConfigException($"The catalogue knows no storage {name}; known: 4bit, 8bit, mxfp4, mxfp4-q8, bf16."),
    };

    private sealed record Entry(string Id, string Name, string Repository, string[] Storages, string Source, JsonElement? Config, string? Like);
}
