using System.Globalization;
using ClusterLlm.AppHost.Cluster;
using ClusterLlm.AppHost.Standalone;

namespace ClusterLlm.AppHost.Output;

/// <summary>The wording of what the host tells. Pure.</summary>
internal static class Lines
{
    private const int NameWidth = 13;
    private const int StateWidth = 11;

    /// <summary>A line about a process, or null when the change is not worth one.</summary>
    public static string? Process(ProcessSnapshot snapshot) => snapshot.State switch
    {
        ProcessState.Starting when snapshot.Restarts == 0 => Row(snapshot.Name, "starting", $"pid {snapshot.Pid}"),
        ProcessState.Healthy => Row(snapshot.Name, "running", string.Join("  ", snapshot.Urls.Where(url => url.Key != "probe").Select(url => $"{url.Key} {url.Value}"))),
        ProcessState.Running when snapshot.Detail.Length > 0 => Row(snapshot.Name, "unhealthy", snapshot.Detail),
        ProcessState.Restarting => Row(snapshot.Name, "restarting", snapshot.Detail),
        ProcessState.Failed => Row(snapshot.Name, "failed", snapshot.Detail),
        ProcessState.Stopped => Row(snapshot.Name, "stopped", snapshot.ExitCode is { } code and not 0 ? $"exit code {code}" : ""),
        _ => null,
    };

    /// <summary>Which node holds which layers, in stage order.</summary>
    public static IEnumerable<string> Placement(DeploymentView deployment) =>
        (deployment.Plan?.Stages ?? []).OrderBy(stage => stage.FirstLayer).Select(stage => Row(
            "",
            stage.Node,
            $"layers {stage.FirstLayer}–{stage.FirstLayer + stage.LayerCount - 1}, {Quantity.Bytes(stage.WeightBytes)}, rank {stage.Rank}"));

    public static string Deployment(DeploymentView deployment) =>
        Row(deployment.Name, deployment.State.ToLowerInvariant(), string.IsNullOrEmpty(deployment.Reason) ? deployment.Model : deployment.Reason);

    /// <summary>For a terminal: every reading. <see cref="LoadingStep"/> is the plain form.</summary>
    public static string Loading(DeploymentView deployment) =>
        Row(deployment.Name, deployment.State.ToLowerInvariant(), Share(deployment.Progress ?? 0, 1));

    /// <summary>For a log: the same in steps of a quarter.</summary>
    public static string LoadingStep(DeploymentView deployment) =>
        Row(deployment.Name, deployment.State.ToLowerInvariant(), Share(deployment.Progress ?? 0, 25));

    /// <summary>What to paste to see tokens stream.</summary>
    public static string Curl(string httpUrl, string model, string question) =>
        $$$"""curl -N {{{httpUrl}}}/v1/chat/completions -H 'content-type: application/json' -d '{"model":"{{{model}}}","stream":true,"temperature":0,"messages":[{"role":"user","content":"{{{question}}}"}]}'""";

    public static string Ready(string httpUrl, string? model, TimeSpan took) => string.Create(
        CultureInfo.InvariantCulture,
        $"ready  API {httpUrl}/v1{(model is null ? "" : $" (model \"{model}\")")}, cluster {httpUrl}/api, after {took.TotalSeconds:0.0} s; Ctrl+C ends everything");

    public static string Row(string name, string state, string text) =>
        $"{name.PadRight(NameWidth)}{state.PadRight(StateWidth)}{text}".TrimEnd();

    private static string Share(double progress, int step) =>
        string.Create(CultureInfo.InvariantCulture, $"{(int)(Math.Clamp(progress, 0, 1) * 100) / step * step} %");
}
