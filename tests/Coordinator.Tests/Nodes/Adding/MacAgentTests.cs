using System.Formats.Tar;
using System.IO.Compression;
using ClusterLlm.Coordinator.Nodes.Adding.Packages;

namespace ClusterLlm.Coordinator.Tests.Nodes.Adding;

/// <summary>The agent for Apple silicon, published on whatever machine this is.</summary>
[Collection(PublishedAgent.Tests)]
public sealed class MacAgentTests
{
    private const uint Arm64 = 0x0100000C;
    private const uint Executable = 2;
    private const uint AdHoc = 2;

    [Fact(Timeout = 600_000)]
    public async Task Publish_ForAppleSilicon_IsASignedExecutableWithItsScript()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("mac-agent-").FullName;
        try
        {
            var package = await PublishedAgent.PublishAsync(folder, "osx-arm64", cancelled);
            var files = await ReadAsync(package.Path, cancelled);

            var (mode, program) = files[AgentArchive.Executable];
            Assert.True(mode.HasFlag(UnixFileMode.UserExecute | UnixFileMode.OtherExecute), $"{mode}");
            var executable = new MachOFile(program);
            Assert.Equal((Arm64, Executable), (executable.Processor, executable.FileType));
            var signature = executable.CheckSignature();
            Assert.Equal(AdHoc, signature.Flags & AdHoc);
            Assert.True(signature.Pages > 1, $"{signature}");
            Assert.Equal("#!/bin/sh", System.Text.Encoding.UTF8.GetString(files[AgentArchive.Script].Content)[..9]);
            Assert.Contains("libcoreclr.dylib", files.Keys);

            // A changed byte is noticed, so the check above is one.
            program[^(program.Length / 2)] ^= 1;
            Assert.Throws<InvalidDataException>(() => new MachOFile(program).CheckSignature());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Dictionary<string, (UnixFileMode Mode, byte[] Content)>> ReadAsync(string archive, CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, (UnixFileMode, byte[])>(StringComparer.Ordinal);
        await using var file = File.OpenRead(archive);
        await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(unzipped);
        while (await tar.GetNextEntryAsync(copyData: true, cancellationToken) is { } entry)
        {
            using var content = new MemoryStream();
            if (entry.DataStream is { } data)
            {
                await data.CopyToAsync(content, cancellationToken);
            }

            files[entry.Name] = (entry.Mode, content.ToArray());
        }

        return files;
    }
}
