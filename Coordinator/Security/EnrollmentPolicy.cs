using System.Collections.Immutable;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Whether a machine may have a node id.</summary>
internal static class EnrollmentPolicy
{
    /// <param name="held">Certificates of that node id that are still good.</param>
    /// <param name="alive">An agent with that id keeps its lease now.</param>
    /// <returns>Why not; <see langword="null"/> when it may. Certificates in <paramref name="held"/> are then to be revoked: the machine was re-installed.</returns>
    public static string? Problem(string nodeId, string machineId, ImmutableArray<IssuedCertificate> held, bool alive)
    {
        if (held.IsEmpty)
        {
            return null;
        }

        if (held.Any(certificate => certificate.MachineId != machineId))
        {
            return $"the node id '{nodeId}' belongs to another machine. Give this one another id (Node:Id), or remove the other node first.";
        }

        return alive
            ? $"the node id '{nodeId}' belongs to an agent of this machine that is running. Stop it, or give this one another id (Node:Id)."
            : null;
    }
}
