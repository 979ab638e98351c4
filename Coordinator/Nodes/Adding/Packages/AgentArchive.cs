using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace ClusterLlm.Coordinator.Nodes.Adding.Packages;

/// <summary>Makes and reads archives of published agents. Equal files give an equal archive, so that its hash names a version.</summary>
internal static class AgentArchive
{
    public const string Executable = "ClusterLlm.NodeAgent";
    public const string Script = "node.sh";
    public const string ServicesScript = "node-services.sh";

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Runnable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly string[] Programs = [Executable, Script, "createdump"];

    /// <summary>Writes the archive beside its place and moves it there, with a <c>.sha256</c> file as sha256sum reads it.</summary>
    /// <param name="folder">What <c>dotnet publish</c> made.</param>
    public static async Task WriteAsync(string folder, string archive, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(archive)!);
        var temporary = $"{archive}.{Environment.ProcessId}.tmp";
        try
        {
            await using (var file = File.Create(temporary))
            await using (var zipped = new GZipStream(file, CompressionLevel.Optimal))
            await using (var tar = new TarWriter(zipped, TarEntryFormat.Pax, leaveOpen: true))
            {
                foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(IsNeeded).Order(StringComparer.Ordinal))
                {
                    await using var content = File.OpenRead(path);
                    var name = Path.GetRelativePath(folder, path).Replace('\\', '/');
                    await tar.WriteEntryAsync(
                        new PaxTarEntry(TarEntryType.RegularFile, name)
                        {
                            Mode = Programs.Contains(name) ? Runnable : Readable,
                            ModificationTime = DateTimeOffset.UnixEpoch,
                            DataStream = content,
                        },
                        cancellationToken);
                }
            }

            await File.WriteAllTextAsync(HashFile(archive), $"{await HashAsync(temporary, cancellationToken)}  {Path.GetFileName(archive)}\n", cancellationToken);
            File.Move(temporary, archive, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <exception cref="AgentPackageException">It is not what its hash file says, or no archive of an agent.</exception>
    public static async Task<AgentPackage> ReadAsync(string runtimeIdentifier, string archive, CancellationToken cancellationToken)
    {
        try
        {
            var expected = (await File.ReadAllTextAsync(HashFile(archive), cancellationToken)).Split(' ')[0];
            var actual = await HashAsync(archive, cancellationToken);
            if (actual != expected)
            {
                throw new AgentPackageException($"{archive} has the SHA-256 {actual}, but {HashFile(archive)} says {expected}: it is damaged or was changed. Publish it again: {PublishCommand(runtimeIdentifier)}", null);
            }

            return new AgentPackage(runtimeIdentifier, archive, actual, new FileInfo(archive).Length, await UnpackedBytesAsync(archive, cancellationToken));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException)
        {
            throw new AgentPackageException($"{archive} can't be read: {e.Message} Publish it again: {PublishCommand(runtimeIdentifier)}", e);
        }
    }

    public static string PublishCommand(string runtimeIdentifier) => $"dotnet run --project Coordinator -- node package {runtimeIdentifier}";

    private static string HashFile(string archive) => $"{archive}.sha256";

    // Neither debugging symbols nor documentation are used on a node.
    private static bool IsNeeded(string path) => Path.GetExtension(path) is not (".pdb" or ".xml" or ".dbg" or ".dsym");

    private static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
    }

    private static async Task<long> UnpackedBytesAsync(string archive, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(archive);
        await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(unzipped);
        var (bytes, names) = (0L, new HashSet<string>(StringComparer.Ordinal));
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            bytes += entry.Length;
            names.Add(entry.Name);
        }

        return names.IsSupersetOf([Executable, Script, ServicesScript])
            ? bytes
            : throw new InvalidDataException($"it does not hold all of {Executable}, {Script} and {ServicesScript}.");
    }
}
