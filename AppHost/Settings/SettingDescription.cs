namespace ClusterLlm.AppHost.Settings;

/// <summary>One setting under <c>AppHost:</c>: its name, what it does, and how its text is taken over.</summary>
/// <param name="Name">Without the section, for example <c>Agents</c>.</param>
/// <param name="Default">As people read it.</param>
/// <param name="Help">One line.</param>
/// <param name="Apply">Takes the text over into the settings, or answers what is wrong with it.</param>
internal sealed record SettingDescription(string Name, string Default, string Help, Func<AppHostSettings, string, SettingResult> Apply)
{
    public const string Section = "AppHost";

    /// <summary>Every setting there is: reading, <c>--help</c> and the README's table come from this list.</summary>
    public static IReadOnlyList<SettingDescription> All { get; } =
    [
        new("Agents", "3", $"local NodeAgents, 0 to {AppHostSettings.MostAgents}; without the setting one, once other machines are nodes", (settings, text) =>
            SettingText.Count(text, 0, AppHostSettings.MostAgents, value => settings with { Agents = value, AgentsAreSet = true })),
        new("AgentMemoryShare", "1/Agents", "share of the usable memory for each local agent, above 0 and at most 1", (settings, text) =>
            SettingText.Share(text, value => settings with { AgentMemoryShare = value })),
        new("Demo", "true", "launch the demo deployment at start", (settings, text) =>
            SettingText.Switch(text, value => settings with { Demo = value })),
        new("Standalone", "false", "run the standalone host also where the program was built with Aspire", (settings, text) =>
            SettingText.Switch(text, value => settings with { Standalone = value })),
        new("Dashboard", "true", "show the cluster in the Aspire dashboard, which npm fetches once", (settings, text) =>
            SettingText.Switch(text, value => settings with { Dashboard = value })),
        new("DashboardPort", "18888", "the dashboard's port", (settings, text) =>
            SettingText.Port(text, value => settings with { DashboardPort = value })),
        new("DashboardFolder", "HOME/dashboard", "folder that the dashboard is fetched into", (settings, text) =>
            SettingText.Folder(text, value => settings with { DashboardFolder = value })),
        new("HttpPort", "7420", "the Coordinator's HTTP port; a set port is never replaced, 0 takes any", (settings, text) =>
            SettingText.Port(text, value => settings with { HttpPort = value })),
        new("GrpcPort", "7421", "the Coordinator's gRPC port", (settings, text) =>
            SettingText.Port(text, value => settings with { GrpcPort = value })),
        new("AgentPort", "7430", "the first local agent's gRPC port; the others follow", (settings, text) =>
            SettingText.Port(text, value => settings with { AgentPort = value })),
        new("Home", "~/.clusterllm", "folder of all state; also CLUSTERLLM_HOME", (settings, text) =>
            SettingText.Folder(text, value => settings with { Home = value })),
        new("LogLevel", "Information", "Trace, Debug, Information, Warning or Error: what the started processes log", (settings, text) =>
            SettingText.Level(text, value => settings with { LogLevel = value })),
    ];
}

/// <summary>Settings with one more value taken over, or why the value cannot be.</summary>
internal readonly record struct SettingResult(AppHostSettings? Settings, string? Problem);
