namespace ClusterLlm.Coordinator.Catalog;

/// <summary>The tables that are built into the program (Catalog/Data).</summary>
internal static class CatalogData
{
    /// <exception cref="InvalidOperationException">The program was built without the table.</exception>
    public static string Read(string name)
    {
        using var stream = typeof(CatalogData).Assembly.GetManifestResourceStream($"ClusterLlm.Coordinator.Catalog.Data.{name}")
            ?? throw new InvalidOperationException($"The program was built without Catalog/Data/{name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
