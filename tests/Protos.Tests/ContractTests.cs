using ClusterLlm.Protos.V1;
using Google.Protobuf.Reflection;

namespace ClusterLlm.Protos.Tests;

/// <summary>Rules that every message of the cluster's gRPC contract keeps.</summary>
public sealed class ContractTests
{
    /// <summary>A quantity with one of these words in its name has a unit, and the name says which.</summary>
    private static readonly string[] Quantities = ["memory", "resident", "duration", "interval", "temperature", "time_to", "weight", "workspace"];

    private static readonly string[] Units = ["_bytes", "_ms", "_celsius", "_per_second", "_source", "_state", "_pressure"];

    internal static IReadOnlyList<FileDescriptor> Files { get; } =
    [
        EnrollmentReflection.Descriptor,
        InferenceReflection.Descriptor,
        MembershipReflection.Descriptor,
        ModelsReflection.Descriptor,
        NodeReflection.Descriptor,
        ShardReflection.Descriptor,
        StageReflection.Descriptor,
    ];

    [Fact]
    public void Enums_ZeroValue_IsUnspecified() => Assert.All(
        Files.SelectMany(file => file.EnumTypes),
        type => Assert.EndsWith("_UNSPECIFIED", type.FindValueByNumber(0).Name, StringComparison.Ordinal));

    [Fact]
    public void Files_Package_IsVersioned() => Assert.All(Files, file => Assert.Equal("clusterllm.v1", file.Package));

    [Fact]
    public void Quantities_Name_TellsTheUnit() => Assert.All(
        from file in Files
        from message in file.MessageTypes
        from field in message.Fields.InDeclarationOrder()
        where field.FieldType is not (FieldType.Message or FieldType.String)
        where Quantities.Any(word => field.Name.Contains(word, StringComparison.Ordinal))
        select field,
        field => Assert.Contains(Units, unit => field.Name.EndsWith(unit, StringComparison.Ordinal)));

    /// <summary>A change of a number or a type is a break for agents of an older version: this fails until it is made on purpose.</summary>
    [Fact]
    public void ShardSpec_FieldNumbers_StayWhatTheyAre() => Assert.Equal(
        "deployment_id=1 generation=2 engine=3 model=4 model_fingerprint=5 rank=6 world_size=7 first_layer=8 layer_count=9 context_tokens=10 "
        + "max_concurrency=11 ranks=12 micro_batches=13 prefill_chunk_tokens=14 memory_limit_bytes=15",
        string.Join(' ', ShardSpec.Descriptor.Fields.InFieldNumberOrder().Select(field => $"{field.Name}={field.FieldNumber}")));
}
