namespace ClusterLlm.Coordinator.Placement.Prediction;

/// <summary>How certain a prediction is: the fitted band of its class, wider for clusters and batches, narrower for calibrated machines.</summary>
internal static class Bands
{
    /// <summary>Batches at several requests: no published row fits their factor on MLX, so a quarter either way.</summary>
    public const double BatchUncertainty = 0.25;

    // Pipelines with one hop constant per engine and link: 8 % median, 14 % worst (performance.md section 3).
    private const double ClusterUncertainty = 0.14;

    // Repeated runs on one machine; a short context is extrapolated to a long one.
    private const double CalibratedUncertainty = 0.08;

    public static SpeedBand Decode(
        SpeedConstants constants, EngineFacts engine, ModelSpec model, double contextTokens, IReadOnlyCollection<NodeCapacity> nodes)
    {
        var band = IsCalibrated(engine, nodes)
            ? new SpeedBand("calibrated", 1 / (1 + CalibratedUncertainty), 1 + CalibratedUncertainty, 0)
            : constants.Band(BandClass.Decode(engine.Family, model.Traits, model.TotalParameters, contextTokens));
        return nodes.Count > 1 ? Wider(band, ClusterUncertainty) : band;
    }

    public static SpeedBand Prefill(SpeedConstants constants, EngineFacts engine, ModelSpec model, IReadOnlyCollection<NodeCapacity> nodes)
    {
        var band = constants.Band(BandClass.Prefill(engine.Family, model.Traits));
        return nodes.Count > 1 ? Wider(band, ClusterUncertainty) : band;
    }

    /// <summary>Independent uncertainties add as squares of their logarithms.</summary>
    public static SpeedBand Wider(SpeedBand band, double share)
    {
        var more = Math.Log(1 + share);
        return band with
        {
            Low = Math.Exp(-Math.Sqrt(Math.Pow(Math.Log(band.Low), 2) + (more * more))),
            High = Math.Exp(Math.Sqrt(Math.Pow(Math.Log(band.High), 2) + (more * more))),
        };
    }

    public static string Source(SpeedConstants constants, EngineFacts engine, IReadOnlyCollection<NodeCapacity> nodes)
    {
        if (engine.Family == EngineFamily.Builtin && !IsCalibrated(engine, nodes))
        {
            return "assumed constants of the builtin engine; calibrate the nodes for better ones";
        }

        var own = nodes.Count(node => NodeSpeed.CalibrationOf(node, engine) is not null);
        return own == 0 ? $"published constants ({constants.Origin.Split(';')[0]})"
            : own == nodes.Count && Shared(engine, nodes) is { Length: > 0 } sources ? $"measurements of machines with the same chip, from {sources}"
            : own == nodes.Count ? "calibrated on these machines"
            : $"{own} of {nodes.Count} machines calibrated, published constants for the others";
    }

    private static string Shared(EngineFacts engine, IReadOnlyCollection<NodeCapacity> nodes) =>
        string.Join("; ", nodes.Select(node => NodeSpeed.CalibrationOf(node, engine)?.Source).OfType<string>().Distinct());

    private static bool IsCalibrated(EngineFacts engine, IReadOnlyCollection<NodeCapacity> nodes) =>
        nodes.Count > 0 && nodes.All(node => NodeSpeed.CalibrationOf(node, engine) is not null);
}
