using System.Collections.Immutable;
using ClusterLlm.Coordinator.Placement;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>Gives layers whose bytes are known what config.json says of their experts and caches.</summary>
internal static class ConfigLayers
{
    /// <summary>The same layers when the file can't be read: then plain attention without experts is the careful guess.</summary>
    public static ImmutableArray<LayerSpec> Refine(string configJson, ImmutableArray<LayerSpec> layers)
    {
        if (Geometry(configJson) is not { } geometry || geometry.Layers != layers.Length)
        {
            return layers;
        }

        var computed = GeometryBytes.Spec("", geometry, new WeightStorage("", 16, 16)).Layers;
        return
        [
            .. layers.Select((layer, index) =>
            {
                var count = GeometryBytes.Count(geometry, index);
                var experts = (long)(layer.WeightBytes * (count.Expert * geometry.Experts / count.Total));
                return HeaderModel.WithBytes(computed[index], geometry, (layer.WeightBytes - experts, experts));
            }),
        ];
    }

    private static ModelGeometry? Geometry(string configJson)
    {
        try
        {
            return ConfigReader.Read(configJson.Length == 0 ? "{}" : configJson, "config.json");
        }
        catch (ModelConfigException)
        {
            // The agent has read the file and vouches for the bytes; only the finer points of prediction are lost.
            return null;
        }
    }
}
