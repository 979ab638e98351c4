using System.Text.Json;
using ClusterLlm.ModelFiles;
using ClusterLlm.ServiceDefaults;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Splitting;

/// <summary>Answers of whole models, kept under the home folder by the model's fingerprint.</summary>
internal sealed partial class SplitReferences(ClusterHome home, ILogger<SplitReferences> logger)
{
    private string Folder => Path.Combine(home.Path, "mlx-references");

    /// <summary>The stored answer; null when there is none that can be read.</summary>
    public SplitAnswer? Find(ModelFolder model)
    {
        var path = PathOf(model);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<SplitAnswer>(File.ReadAllBytes(path)) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            LogUnreadable(error, path);
            return null;
        }
    }

    public void Store(ModelFolder model, SplitAnswer answer)
    {
        var path = PathOf(model);
        try
        {
            home.Create();
            Directory.CreateDirectory(Folder);
            var temporary = $"{path}.{Guid.NewGuid():N}";
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(answer));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Only a saving of time is lost.
            LogNotStored(error, path);
        }
    }

    private string PathOf(ModelFolder model) => Path.Combine(Folder, $"{model.Fingerprint}.json");

    [LoggerMessage(Level = LogLevel.Warning, Message = "The reference answer {Path} can't be read; it is measured again")]
    private partial void LogUnreadable(Exception error, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The reference answer {Path} can't be stored")]
    private partial void LogNotStored(Exception error, string path);
}
