using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;
using ClusterLlm.ModelFiles;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>A model's folder on this machine: config.json and the safetensors headers.</summary>
internal static class LocalModel
{
    /// <returns>The model with what differs from the catalogue, or what is wrong with the folder.</returns>
    public static (ModelSpec? Model, ImmutableArray<string> Notes, string? Problem) Read(string folder)
    {
        try
        {
            var id = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
            var config = File.ReadAllText(Path.Combine(folder, "config.json"));
            var geometry = ConfigReader.Read(config, Path.Combine(folder, "config.json"));
            var tensors = TensorIndex.Read(folder).Tensors.Values.Select(tensor => new HeaderTensor(tensor.Name, tensor.ByteCount)).ToArray();
            var spec = HeaderModel.Spec(id, geometry, ConfigReader.Storage(config), tensors);
            var known = ModelCatalog.BuiltIn.Find(id);
            return (spec, known is null ? [] : HeaderModel.Differences(known.Spec, spec), null);
        }
        catch (Exception e) when (e is ModelConfigException or ModelFileException or IOException or UnauthorizedAccessException)
        {
            return (null, [], $"{folder}: {e.Message}");
        }
    }
}
