using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Engines.Mlx.Processes;

/// <summary>What a person can do about errors of MLX whose own text does not say it.</summary>
/// <remarks>
/// Sources: mlx's issues 3467, 3207, 3162 (JACCL), 3755 (macOS refuses the network to a program), 4060 (ring), mlx-lm's issue 1672 (buffers); none of those of
/// Metal and JACCL was seen here.
/// </remarks>
internal static class RankAdvice
{
    // For example "[ring] Couldn't connect (error: 65)", "[jaccl] Changing queue pair to RTR failed with errno 22", "[metal::malloc] Resource limit (499000) exceeded."
    private static readonly ImmutableArray<(string Part, string Words, string Advice)> Known =
    [
        ("[ring]", "(error: 65)", "macOS may refuse the local network to this Python: allow it in System Settings, Privacy & Security, Local Network."),
        ("[ring]", "(error: 113)", "The neighbour's address can't be reached: look at DirectAddress and the link."),
        ("[ring]", "(error: 48)", "Another program listens on the rank's port: set another DirectPort."),
        ("[ring]", "(error: 98)", "Another program listens on the rank's port: set another DirectPort."),
        ("[ring]", "(error: 49)", "DirectAddress is no address of this machine."),
        ("[ring]", "(error: 99)", "DirectAddress is no address of this machine."),
        ("[jaccl]", "GID", "Give each Thunderbolt cable an IPv4 address, and take the Thunderbolt bridge down."),
        ("[jaccl]", "errno 22", "Give each Thunderbolt cable an IPv4 address, and take the Thunderbolt bridge down."),
        ("[jaccl]", "errno 16", "RDMA is in use by a process that crashed: restart this machine."),
        ("[jaccl]", "errno 60", "Restart all machines of the group: RDMA stays broken after a crash."),
        ("Resource limit", "exceeded", "Too many buffers are alive: lower PromptCacheSequences or the deployment's concurrency."),
        ("[METAL]", "Insufficient Memory", "The GPU's memory is full: give this node fewer layers, a shorter context or less concurrency."),
        ("GatherMM", "float32", "MLX computes mixtures of experts on a CPU only quantized or in float32: convert the model with mlx_lm.convert -q."),
    ];

    /// <returns>A sentence that begins with a space; empty when nothing is known.</returns>
    public static string For(string text)
    {
        var (_, _, advice) = Known.FirstOrDefault(entry =>
            text.Contains(entry.Part, StringComparison.OrdinalIgnoreCase) && text.Contains(entry.Words, StringComparison.OrdinalIgnoreCase));
        return advice is null ? "" : $" {advice}";
    }
}
