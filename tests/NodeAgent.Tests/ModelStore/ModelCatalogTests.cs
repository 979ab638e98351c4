using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.ModelStore;
using ClusterLlm.NodeAgent.Settings;
using ClusterLlm.Testing;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Tests.ModelStore;

public sealed class ModelCatalogTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("catalog");

    private string Model => Path.Combine(_directory.FullName, "tiny");

    public ModelCatalogTests()
    {
        Directory.CreateDirectory(Model);
        foreach (var file in Directory.EnumerateFiles(TestModels.PathOf("llama-f32")))
        {
            File.Copy(file, Path.Combine(Model, Path.GetFileName(file)));
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Open_NothingChanged_GivesTheSameFolderObject()
    {
        var catalog = Catalog();

        Assert.Same(catalog.Open("tiny"), catalog.Open(Model));
    }

    [Fact]
    public void Open_FileTimeChanged_ReadsAgain()
    {
        var catalog = Catalog();
        var before = catalog.Open("tiny");

        File.SetLastWriteTimeUtc(Path.Combine(Model, "config.json"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        var after = catalog.Open("tiny");
        Assert.NotSame(before, after);
        Assert.Equal(before.Fingerprint, after.Fingerprint);
    }

    [Fact]
    public void Open_FolderBreaks_ThrowsAndRecovers()
    {
        var catalog = Catalog();
        var config = Path.Combine(Model, "config.json");
        var text = File.ReadAllText(config);
        File.WriteAllText(config, "{\"model_type\":");

        Assert.Throws<ModelFileException>(() => catalog.Open("tiny"));
        File.WriteAllText(config, text);

        Assert.Equal("tiny", catalog.Open("tiny").Id);
    }

    [Fact]
    public void Scan_SameNameInTwoDirectories_TellsTheSecond()
    {
        var second = Directory.CreateTempSubdirectory("catalog");
        try
        {
            Directory.CreateDirectory(Path.Combine(second.FullName, "tiny"));
            foreach (var file in Directory.EnumerateFiles(Model))
            {
                File.Copy(file, Path.Combine(second.FullName, "tiny", Path.GetFileName(file)));
            }

            var inventory = Catalog(second.FullName).Scan(TestContext.Current.CancellationToken);

            Assert.Equal(Model, Assert.Single(inventory.Models).Path);
            Assert.Equal(Path.Combine(second.FullName, "tiny"), Assert.Single(inventory.Problems).Path);
        }
        finally
        {
            second.Delete(recursive: true);
        }
    }

    [Fact]
    public void Scan_DirectoryIsMissing_IsEmpty() =>
        Assert.Empty(new ModelCatalog(Options.Create(new NodeOptions { ModelDirectories = ["/nowhere/models"] })).Scan(TestContext.Current.CancellationToken).Models);

    private ModelCatalog Catalog(params string[] more) =>
        new(Options.Create(new NodeOptions { ModelDirectories = [_directory.FullName, .. more] }));
}
