using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using ClusterLlm.Testing;

namespace ClusterLlm.ModelFiles.Tests;

/// <summary>A test model in a folder of its own that a test may damage.</summary>
internal sealed class ModelCopy : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelfiles-");

    public ModelCopy(string model)
    {
        foreach (var file in Directory.GetFiles(TestModels.PathOf(model)))
        {
            System.IO.File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        }
    }

    public string Folder => _folder.FullName;

    public string File(string name) => Path.Combine(Folder, name);

    public void EditJson(string name, Action<JsonObject> edit)
    {
        var json = JsonNode.Parse(System.IO.File.ReadAllText(File(name)))!.AsObject();
        edit(json);
        System.IO.File.WriteAllText(File(name), json.ToJsonString());
    }

    /// <summary>Rewrites a safetensors header; the data stays.</summary>
    public void EditHeader(Action<JsonObject> edit, string name = "model.safetensors")
    {
        var bytes = System.IO.File.ReadAllBytes(File(name));
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        edit(header);
        WriteFile(name, Encoding.UTF8.GetBytes(header.ToJsonString()), bytes.AsSpan(8 + length));
    }

    public void WriteFile(string name, ReadOnlySpan<byte> header, ReadOnlySpan<byte> data)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        System.IO.File.WriteAllBytes(File(name), [.. length, .. header, .. data]);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
