namespace ClusterLlm.Prediction;

/// <summary>The tables beside the replay (Data/).</summary>
internal static class PredictionData
{
    public static string Read(string name)
    {
        using var stream = typeof(PredictionData).Assembly.GetManifestResourceStream($"ClusterLlm.Prediction.Data.{name}")
            ?? throw new InvalidOperationException($"The project was built without Data/{name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
