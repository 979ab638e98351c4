using ClusterLlm.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Settings;

/// <summary>Reads the agent's settings and makes its identity.</summary>
internal static class SettingsExtensions
{
    public static void AddNodeSettings(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<NodeOptions>()
            .BindConfiguration(NodeOptions.SectionName)
            .PostConfigure<ClusterHome>(ApplyDefaults)
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<NodeOptions>, NodeOptionsValidator>();
        builder.Services.AddSingleton(CreateIdentity);
    }

    private static void ApplyDefaults(NodeOptions options, ClusterHome home)
    {
        if (options.ModelDirectories.Count == 0)
        {
            options.ModelDirectories.Add(home.ModelsPath);
        }
    }

    private static NodeIdentity CreateIdentity(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<NodeOptions>>().Value;
        var hostName = Environment.MachineName;
        var id = options.Id ?? NodeIdentityFile.ReadOrCreate(services.GetRequiredService<ClusterHome>().Create(), hostName);
        return new NodeIdentity(id, options.DisplayName ?? hostName, hostName, Guid.NewGuid().ToString("N"));
    }
}
