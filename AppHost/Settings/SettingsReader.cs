using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Configuration;

namespace ClusterLlm.AppHost.Settings;

/// <summary>Turns configuration into settings; every problem is told at once, each in one line.</summary>
internal static class SettingsReader
{
    /// <param name="configuration">All sources together; only the section <c>AppHost</c> is read.</param>
    /// <param name="defaultHome">Where state goes when no setting says otherwise.</param>
    public static SettingsReading Read(IConfiguration configuration, string defaultHome)
    {
        var settings = new AppHostSettings { Home = defaultHome };
        var problems = new List<string>();
        foreach (var entry in configuration.GetSection(SettingDescription.Section).GetChildren())
        {
            var description = SettingDescription.All.FirstOrDefault(
                known => known.Name.Equals(entry.Key, StringComparison.OrdinalIgnoreCase));
            if (description is null)
            {
                problems.Add(Unknown(entry.Key));
                continue;
            }

            var result = description.Apply(settings, entry.Value ?? "");
            settings = result.Settings ?? settings;
            if (result.Problem is not null)
            {
                problems.Add($"AppHost:{description.Name} is \"{entry.Value}\": {result.Problem}.");
            }
        }

        problems.AddRange(PortProblems(settings));
        return new(settings, problems);
    }

    /// <summary>One line about a setting that does not exist, with the nearest one that does.</summary>
    public static string Unknown(string name)
    {
        return NearestNames.Find(name, SettingDescription.All.Select(known => known.Name), 1) is [var nearest]
            ? $"AppHost:{name} is not a setting; did you mean AppHost:{nearest}? --help lists all."
            : $"AppHost:{name} is not a setting; --help lists them.";
    }

    private static IEnumerable<string> PortProblems(AppHostSettings settings)
    {
        var ports = new List<(string Owner, int Port)>();
        Add("AppHost:HttpPort", settings.HttpPort);
        Add("AppHost:GrpcPort", settings.GrpcPort);
        Add("AppHost:DashboardPort", settings.DashboardPort);
        for (var agent = 0; agent < settings.Agents && settings.AgentPort is { } first and not 0; agent++)
        {
            Add($"AppHost:AgentPort (agent {agent + 1})", first + agent);
        }

        foreach (var (owner, port) in ports.Where(entry => entry.Port > 65535))
        {
            yield return $"{owner} would be {port}: ports end at 65535.";
        }

        foreach (var same in ports.GroupBy(entry => entry.Port).Where(group => group.Count() > 1))
        {
            yield return $"{string.Join(" and ", same.Select(entry => entry.Owner))} are both {same.Key}: each needs a port of its own.";
        }

        void Add(string owner, int? port)
        {
            if (port is { } value and not 0)
            {
                ports.Add((owner, value));
            }
        }
    }
}

/// <summary>The settings as far as they could be read, and what is wrong with the rest.</summary>
internal sealed record SettingsReading(AppHostSettings Settings, IReadOnlyList<string> Problems);
