using System.Globalization;

namespace ClusterLlm.AppHost.Output;

/// <summary>Sizes and rates for people. Pure.</summary>
internal static class Quantity
{
    /// <param name="bytes">Bytes; decimal units, as macOS shows them.</param>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB"),
    };

    /// <param name="perSecond">Per second.</param>
    public static string Rate(double perSecond) => perSecond.ToString("0.0", CultureInfo.InvariantCulture);
}
