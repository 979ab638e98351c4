using System.Collections.Immutable;
using System.Net.NetworkInformation;

namespace ClusterLlm.ServiceDefaults;

/// <summary>This machine's network interfaces.</summary>
internal static class OwnInterfaces
{
    private const int Attempts = 10;

    /// <summary>What is selected of all interfaces that are there.</summary>
    /// <exception cref="NetworkInformationException">They can't be read.</exception>
    public static ImmutableArray<T> Select<T>(Func<NetworkInterface, IEnumerable<T>> select) => Read(() => NetworkInterface.GetAllNetworkInterfaces().SelectMany(select));

    /// <remarks>
    /// The runtime reads interfaces and their addresses one after the other. Where one comes or goes meanwhile, as containers' do, it fails: on Linux with an
    /// <see cref="ArgumentException"/> about an address that it made itself (seen with .NET 10.0.12). The next reading is of another moment.
    /// </remarks>
    internal static ImmutableArray<T> Read<T>(Func<IEnumerable<T>> read)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return [.. read()];
            }
            catch (Exception failure) when (attempt < Attempts && failure is (ArgumentException or NetworkInformationException))
            {
                // Read again.
            }
        }
    }
}
