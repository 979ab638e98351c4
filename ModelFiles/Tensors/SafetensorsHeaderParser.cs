using System.Collections.Immutable;
using System.Text.Json;

namespace ClusterLlm.ModelFiles;

/// <summary>Turns a safetensors header's JSON into tensors, checking each on its own.</summary>
/// <param name="dataStart">Where the data begins in the file.</param>
internal sealed class SafetensorsHeaderParser(string path, long dataStart)
{
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A string is not valid text.</exception>
    public ImmutableArray<TensorInfo> Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        ImmutableArray<TensorInfo>.Builder tensors = ImmutableArray.CreateBuilder<TensorInfo>();
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new ModelFileException(path, "header", "is no JSON object; the file is no safetensors file or is damaged");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == "__metadata__")
            {
                reader.Skip();
                continue;
            }

            if (!_names.Add(name))
            {
                throw new ModelFileException(path, name, "appears twice in the header; the file is damaged: copy or download it again");
            }

            tensors.Add(ReadTensor(ref reader, name));
        }

        // Anything but spaces after the object is an error that this read raises.
        reader.Read();
        return tensors.ToImmutable();
    }

    private TensorInfo ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new ModelFileException(path, name, "is no object with dtype, shape and data_offsets; the header is damaged");
        }

        string? dtype = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "dtype" when reader.TokenType == JsonTokenType.String:
                    dtype = reader.GetString();
                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, name, field);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, name, field);
                    break;
                default:
                    throw new ModelFileException(path, name, $"field '{field}' is not one of dtype (text), shape and data_offsets; the header is damaged");
            }
        }

        return Check(name, dtype, shape, offsets);
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string field)
    {
        List<long> numbers = [];
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new ModelFileException(path, name, $"{field} is no array of numbers; the header is damaged");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw new ModelFileException(path, name, $"{field}[{numbers.Count}] is no whole number from 0 to 2^63 − 1; the header is damaged");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private TensorInfo Check(string name, string? dtype, List<long>? shape, List<long>? offsets)
    {
        if (dtype is null || shape is null || offsets is null)
        {
            var missing = dtype is null ? "dtype" : shape is null ? "shape" : "data_offsets";
            throw new ModelFileException(path, name, $"has no {missing}; the header is damaged");
        }

        if (!TensorTypes.TryParse(dtype, out TensorType type))
        {
            throw new ModelFileException(path, name, $"dtype '{dtype}' is unknown; safetensors has {TensorTypes.KnownNames}");
        }

        if (offsets.Count != 2 || offsets[0] > offsets[1] || offsets[1] > long.MaxValue - dataStart)
        {
            throw new ModelFileException(path, name, $"data_offsets {TensorInfo.FormatShape(offsets)} are no range; the header is damaged");
        }

        var bytes = offsets[1] - offsets[0];
        Int128 expected = ByteCount(type, shape);
        if (expected != bytes)
        {
            var needed = expected < 0 ? "more than any file has" : $"{expected}";
            throw new ModelFileException(
                path, name, $"shape {TensorInfo.FormatShape(shape)} of {dtype} takes {needed} bytes, but data_offsets span {bytes}; the header is damaged");
        }

        return new TensorInfo(name, type, [.. shape], path, dataStart + offsets[0], bytes);
    }

    /// <summary>Bytes of a tensor; −1 when it is more than a file can hold or not whole.</summary>
    private static Int128 ByteCount(TensorType type, List<long> shape)
    {
        if (shape.Contains(0))
        {
            return 0;
        }

        Int128 bits = type.BitsPerElement();
        foreach (var dimension in shape)
        {
            bits *= dimension;
            if (bits > (Int128)long.MaxValue * 8)
            {
                return -1;
            }
        }

        return bits % 8 == 0 ? bits / 8 : -1;
    }
}
