using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace ClusterLlm.NodeAgent.Engines.Mlx;

/// <summary>Checks the section <c>Engines:Mlx</c>; every message names the key.</summary>
internal sealed class MlxOptionsValidator : IValidateOptions<MlxOptions>
{
    public ValidateOptionsResult Validate(string? name, MlxOptions options)
    {
        List<string> faults = [];
        Check(options.StallTimeout >= TimeSpan.FromSeconds(1), "StallTimeout", options.StallTimeout, "at least 1 s");
        Check(options.ReadyTimeout >= TimeSpan.FromSeconds(1), "ReadyTimeout", options.ReadyTimeout, "at least 1 s");
        Check(options.DrainTimeout >= TimeSpan.Zero, "DrainTimeout", options.DrainTimeout, "0 or more");
        Check(options.PrefillChunkTokens is >= 16 and <= 8192, "PrefillChunkTokens", options.PrefillChunkTokens, "from 16 to 8192");
        Check(options.PromptCacheSequences is >= 0 and <= 64, "PromptCacheSequences", options.PromptCacheSequences, "from 0 to 64");
        Check(options.PromptCacheTokens >= 0, "PromptCacheTokens", options.PromptCacheTokens, "0 or more");
        Check(options.QueueLimit >= 0, "QueueLimit", options.QueueLimit, "0 or more");
        Check(options.DirectPort is >= 1024 and <= 65000, "DirectPort", options.DirectPort, "from 1024 to 65000");
        Check(options.Wired is "auto" or "off" || long.TryParse(options.Wired, out _), "Wired", options.Wired, "auto, off or a number of bytes");
        Check(
            options.Transport != MlxTransport.Direct || (IPAddress.TryParse(options.DirectAddress, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork),
            "DirectAddress",
            options.DirectAddress ?? "not set",
            "this node's IPv4 address on the link, because Transport is Direct");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(bool good, string key, object value, string must)
        {
            if (!good)
            {
                faults.Add($"{MlxOptions.SectionName}:{key} is {value}: it must be {must}.");
            }
        }
    }
}
