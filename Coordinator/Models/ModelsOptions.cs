using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Models;

/// <summary>How model inventories are kept.</summary>
internal sealed class ModelsOptions
{
    public const string SectionName = "Models";

    /// <summary>How often each node is asked for its models. Default 60 s; <c>GET /api/models?refreshNow=true</c> asks at once.</summary>
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(60);
}

/// <summary>Checks <see cref="ModelsOptions"/>.</summary>
internal sealed class ModelsOptionsValidator : IValidateOptions<ModelsOptions>
{
    public ValidateOptionsResult Validate(string? name, ModelsOptions options) =>
        options.RefreshInterval >= TimeSpan.FromSeconds(1) && options.RefreshInterval <= TimeSpan.FromDays(1)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"{ModelsOptions.SectionName}:RefreshInterval is {options.RefreshInterval}; it must be from 00:00:01 to 1.00:00:00.");
}
