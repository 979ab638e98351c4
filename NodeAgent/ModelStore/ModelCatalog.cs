using ClusterLlm.ModelFiles;
using ClusterLlm.NodeAgent.Settings;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.ModelStore;

/// <summary>The models that this node sees: the folders of its model directories, and any other folder that is named by its absolute path.</summary>
internal sealed class ModelCatalog(IOptions<NodeOptions> options)
{
    private const string ConfigFile = "config.json";

    private readonly ModelFolderCache _cache = new();

    /// <summary>All folders with a config.json directly in a model directory, or one level further down (ORGANISATION/MODEL).</summary>
    public ModelInventory Scan(CancellationToken cancellationToken)
    {
        var models = new SortedDictionary<string, ModelFolder>(StringComparer.Ordinal);
        var problems = new List<ModelProblem>();
        foreach (var path in Candidates())
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                var model = _cache.Open(path);
                if (!models.TryAdd(model.Id, model))
                {
                    problems.Add(new ModelProblem(path, $"'{model.Id}' is also the name of {models[model.Id].Path}: rename one of the folders."));
                }
            }
            catch (ModelFileException error)
            {
                problems.Add(new ModelProblem(path, error.Message));
            }
        }

        return new ModelInventory([.. models.Values], [.. problems]);
    }

    /// <param name="model">A model id of the inventory, or an absolute path.</param>
    /// <exception cref="ModelNotFoundException">No such folder.</exception>
    /// <exception cref="ModelFileException">The folder is there, but broken.</exception>
    public ModelFolder Open(string model)
    {
        if (Path.IsPathFullyQualified(model))
        {
            return Directory.Exists(model)
                ? _cache.Open(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model)))
                : throw new ModelNotFoundException($"This node sees no folder {model}.");
        }

        var path = Candidates().FirstOrDefault(candidate => Path.GetFileName(candidate) == model);
        return path is not null
            ? _cache.Open(path)
            : throw new ModelNotFoundException(
                $"This node has no model '{model}' under {string.Join(", ", options.Value.ModelDirectories)}: copy it there, or give an absolute path.");
    }

    private IEnumerable<string> Candidates() =>
        options.Value.ModelDirectories.Select(Path.GetFullPath).Where(Directory.Exists).SelectMany(Candidates);

    private static IEnumerable<string> Candidates(string directory)
    {
        foreach (var folder in Folders(directory))
        {
            if (File.Exists(Path.Combine(folder, ConfigFile)))
            {
                yield return folder;
                continue;
            }

            foreach (var inner in Folders(folder).Where(inner => File.Exists(Path.Combine(inner, ConfigFile))))
            {
                yield return inner;
            }
        }
    }

    /// <summary>Folders that can't be entered hold nothing that this agent could load.</summary>
    private static IEnumerable<string> Folders(string parent) =>
        Directory.EnumerateDirectories(parent, "*", new EnumerationOptions { IgnoreInaccessible = true }).Order(StringComparer.Ordinal);
}
