using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Catalog;

/// <summary>Where models are looked up that are neither on a node nor built in.</summary>
internal sealed class HubOptions
{
    public const string SectionName = "Hub";

    /// <summary>The Hugging Face hub or a mirror of it.</summary>
    [Required]
    public Uri Address { get; set; } = new("https://huggingface.co/");

    /// <summary>How long one request may take; more waits longer for a slow line, less says sooner that there is none.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);
}

/// <summary>Checks <see cref="HubOptions"/> at start.</summary>
[OptionsValidator]
internal sealed partial class HubOptionsValidator : IValidateOptions<HubOptions>;
