using System.Collections.Immutable;

namespace ClusterLlm.NodeAgent.Hardware.Mac;

/// <summary>An interface of <c>ifconfig</c>.</summary>
/// <param name="IsActive">Its line says <c>status: active</c>; where there is no such line (loopback), its flags say RUNNING.</param>
/// <param name="Members">Of a bridge.</param>
internal sealed record IfconfigInterface(string Name, bool IsLoopback, bool IsActive, ImmutableArray<string> Members);

/// <summary>
/// Parser for <c>ifconfig</c>: a line without indent begins an interface, <c>en0: flags=8863&lt;UP,BROADCAST,RUNNING&gt; mtu 1500</c>; indented
/// lines belong to it, among them <c>status: active</c> and, for bridges, <c>member: en1 flags=3&lt;LEARNING&gt;</c>.
/// </summary>
internal static class IfconfigOutput
{
    public static ImmutableArray<IfconfigInterface> Parse(string? output)
    {
        var interfaces = ImmutableArray.CreateBuilder<IfconfigInterface>();
        foreach (var line in (output ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!char.IsWhiteSpace(line[0]))
            {
                if (Begin(line) is { } begun)
                {
                    interfaces.Add(begun);
                }
            }
            else if (interfaces.Count > 0)
            {
                interfaces[^1] = Add(interfaces[^1], line.Trim());
            }
        }

        return interfaces.ToImmutable();
    }

    private static IfconfigInterface? Begin(string line)
    {
        var colon = line.IndexOf(": flags=", StringComparison.Ordinal);
        if (colon <= 0)
        {
            return null;
        }

        var flags = line.Split('<', '>').ElementAtOrDefault(1)?.Split(',') ?? [];
        return new IfconfigInterface(line[..colon], flags.Contains("LOOPBACK"), flags.Contains("RUNNING"), []);
    }

    private static IfconfigInterface Add(IfconfigInterface item, string detail) => detail.Split(' ') switch
    {
        ["status:", var status] => item with { IsActive = status == "active" },
        ["member:", var member, ..] => item with { Members = item.Members.Add(member) },
        _ => item,
    };
}
