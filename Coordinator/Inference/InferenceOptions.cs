using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Settings of the OpenAI surface.</summary>
internal sealed class InferenceOptions
{
    public const string SectionName = "Inference";

    /// <summary>Largest request body in bytes; more is answered with 413.</summary>
    /// <value>Default 32 MiB. Agents take gRPC messages of up to 64 MiB, so a larger value than that helps nobody.</value>
    [Range(1024, 60 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>Longest silence on a stream, before its first token and between tokens: then a comment line keeps the client's read timeout from firing.</summary>
    /// <value>Default 5 s. From the first comment on, the HTTP status is 200 whatever happens later.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Browser origins that may call <c>/v1</c>, for example <c>http://localhost:3000</c>; <c>*</c> allows all.</summary>
    /// <value>Default none: a page of another origin, on this machine too, may be anybody's.</value>
    public IList<string> AllowedOrigins { get; } = [];
}

/// <summary>Checks <see cref="InferenceOptions"/> by its attributes.</summary>
[OptionsValidator]
internal sealed partial class InferenceOptionsValidator : IValidateOptions<InferenceOptions>;
