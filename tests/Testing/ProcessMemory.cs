using System.Globalization;

namespace ClusterLlm.Testing;

/// <summary>Memory of processes of this machine, as the kernel tells it.</summary>
public static class ProcessMemory
{
    /// <summary>Bytes resident now; 0 when there is no such process, or only what its parent has not yet fetched of it.</summary>
    public static long ResidentBytes(int processId)
    {
        try
        {
            var line = File.ReadLines($"/proc/{processId}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[6..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return 0;
        }
    }

    /// <summary>What some processes held, to be compared with what they hold later.</summary>
    public static string Compare(long before, IEnumerable<int> processes) =>
        string.Create(CultureInfo.InvariantCulture, $"{before / 1e6:0} MB held, {processes.Sum(ResidentBytes) / 1e6:0} MB after");
}
