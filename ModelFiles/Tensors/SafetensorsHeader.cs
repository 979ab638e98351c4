using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>The checked header of one safetensors file.</summary>
/// <param name="Sha256">Over the header's bytes, for the model's fingerprint.</param>
internal sealed record SafetensorsHeader(string Path, long FileBytes, ImmutableArray<TensorInfo> Tensors, ImmutableArray<byte> Sha256)
{
    /// <summary>The format's own limit, against files that ask for any amount of memory.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LengthBytes = 8;

    /// <summary>Reads and checks the header; reads none of the weights.</summary>
    /// <remarks>
    /// Layout: 8 bytes little-endian N, N bytes of JSON, then the data. The format demands that the tensors cover the data without
    /// overlap and without holes, which is what makes a truncated or patched file visible.
    /// </remarks>
    public static SafetensorsHeader Read(string path)
    {
        (var json, var fileBytes) = ReadJson(path);
        ImmutableArray<TensorInfo> tensors = Parse(json, path, LengthBytes + json.Length);
        CheckCoverage(tensors, path, LengthBytes + json.Length, fileBytes);
        return new SafetensorsHeader(path, fileBytes, tensors, [.. SHA256.HashData(json)]);
    }

    /// <summary>Parses a header's JSON. Pure: the caller checks the ranges against the file.</summary>
    /// <param name="dataStart">Where the data begins in the file.</param>
    internal static ImmutableArray<TensorInfo> Parse(ReadOnlySpan<byte> json, string path, long dataStart)
    {
        try
        {
            return new SafetensorsHeaderParser(path, dataStart).Parse(json);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException: a string with a lone surrogate or a byte that is no UTF-8.
            throw new ModelFileException(path, "header", $"is not valid JSON ({exception.Message}); copy or download the file again", exception);
        }
    }

    private static (byte[] Json, long FileBytes) ReadJson(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            Span<byte> length = stackalloc byte[LengthBytes];
            if (file.Length < LengthBytes)
            {
                throw new ModelFileException(path, null, $"has {file.Length} bytes, too few for a safetensors file; copy or download it again");
            }

            file.ReadExactly(length);
            var json = new byte[CheckLength(BinaryPrimitives.ReadUInt64LittleEndian(length), file.Length, path)];
            file.ReadExactly(json);
            return (json, file.Length);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFileException(path, null, "does not exist; copy or download the model's folder completely", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelFileException(path, null, $"can't be read: {exception.Message}", exception);
        }
    }

    private static int CheckLength(ulong length, long fileBytes, string path)
    {
        if (length > MaxHeaderBytes)
        {
            throw new ModelFileException(
                path, "header length", $"is {length} bytes, above the format's limit of {MaxHeaderBytes}; the file is no safetensors file or is damaged");
        }

        if ((long)length > fileBytes - LengthBytes)
        {
            throw new ModelFileException(
                path, "header length", $"is {length} bytes, but the file has only {fileBytes - LengthBytes} after it; it is truncated: copy or download it again");
        }

        return (int)length;
    }

    private static void CheckCoverage(ImmutableArray<TensorInfo> tensors, string path, long dataStart, long fileBytes)
    {
        var end = dataStart;
        var before = "the header";
        foreach (TensorInfo tensor in tensors.OrderBy(tensor => tensor.FileOffset).ThenBy(tensor => tensor.ByteCount))
        {
            if (tensor.FileOffset != end)
            {
                var relation = tensor.FileOffset < end ? "overlaps" : "leaves a hole after";
                throw new ModelFileException(
                    path,
                    tensor.Name,
                    $"data_offsets [{tensor.FileOffset - dataStart}, {tensor.FileOffset - dataStart + tensor.ByteCount}] {relation} {before}, " +
                    $"which ends at {end - dataStart}; the file is damaged: copy or download it again");
            }

            end += tensor.ByteCount;
            before = tensor.Name;
            if (end > fileBytes)
            {
                throw new ModelFileException(
                    path,
                    tensor.Name,
                    $"data_offsets end at {end - dataStart}, but the file has only {fileBytes - dataStart} bytes of data; it is truncated: copy or download it again");
            }
        }

        if (end != fileBytes)
        {
            throw new ModelFileException(path, null, $"has {fileBytes - end} bytes after the last tensor ({before}); the file is damaged: copy or download it again");
        }
    }
}
