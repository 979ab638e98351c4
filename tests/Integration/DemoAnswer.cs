using System.Text.Json;
using ClusterLlm.AppHost.Topology;

namespace ClusterLlm.Integration;

/// <summary>What the demo model must answer at temperature 0, from the golden file that came with its weights.</summary>
internal static class DemoAnswer
{
    public const string Question = DemoDeployment.Question;

    /// <summary>Tokens of <see cref="Text"/>.</summary>
    public const int Tokens = 48;

    public static string Text { get; } = Read();

    private static string Read()
    {
        var path = Path.Join(BuildFacts.Read().SamplesFolder, "demo-3m", "golden.json");
        using var golden = JsonDocument.Parse(File.ReadAllText(path));
        return golden.RootElement.GetProperty("prompts").EnumerateArray()
            .First(prompt => prompt.GetProperty("name").GetString() == "chat-definition")
            .GetProperty("text").GetString()!;
    }
}
