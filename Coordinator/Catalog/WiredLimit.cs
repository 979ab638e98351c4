namespace ClusterLlm.Coordinator.Catalog;

/// <summary>What the GPU of a Mac may wire when nobody has read its limit.</summary>
internal static class WiredLimit
{
    /// <summary>Two thirds of the memory up to 36 GB, three quarters above.</summary>
    /// <remarks>The older default (performance.md section 6; mistral.rs PR #1486): newer macOS allows more, so this errs on the safe side.</remarks>
    public static long DefaultBytes(long totalBytes) => totalBytes <= 36L << 30 ? totalBytes / 3 * 2 : totalBytes / 4 * 3;
}
