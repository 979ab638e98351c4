using ClusterLlm.NodeAgent.Hardware.Mac;

namespace ClusterLlm.NodeAgent.Tests.Hardware.Mac;

public sealed class SystemProfilerOutputTests
{
    [Theory]
    [InlineData("SPHardwareDataType_intel_imacpro.json", "", "iMacPro1,1")]
    [InlineData("SPHardwareDataType_intel_vm_github_15.7.9.json", "", "Macmini6,2")]
    [InlineData("SPHardwareDataType_m1air_16gb_12.json", "Apple M1", "MacBookAir10,1")]
    [InlineData("SPHardwareDataType_m1air_rosetta.json", "", "MacBookAir10,1")]
    [InlineData("SPHardwareDataType_m2_16gb_14.json", "Apple M2", "Mac14,7")]
    [InlineData("SPHardwareDataType_m4max_48gb_15.json", "Apple M4 Max", "Mac16,5")]
    [InlineData("SPHardwareDataType_m5_26.6.2.json", "Apple M5", "Mac17,2")]
    [InlineData("SPHardwareDataType_m5max_128gb.json", "Apple M5 Max", "Mac17,6")]
    [InlineData("SPHardwareDataType_vm_m1_github_26.6.2.json", "Apple M1 (Virtual)", "VirtualMac2,1")]
    [InlineData("SPHardwareDataType_vm_m4max.json", "Apple M4 Max (Virtual)", "VirtualMac2,1")]
    public void Parse_Hardware_GivesChipAndModel(string sample, string chip, string model)
    {
        var output = SystemProfilerOutput.Parse(Samples.Read(sample));

        Assert.Equal((chip, model, 0), (output.Chip, output.Model, output.GpuCores));
        Assert.NotEmpty(output.PlatformId);
    }

    [Theory]
    [InlineData("SPDisplaysDataType_m1pro_3displays_12.json", 14)]
    [InlineData("SPDisplaysDataType_m5_26.6.2.json", 10)]
    [InlineData("SPDisplaysDataType_intel_vm_github_15.7.9.json", 0)]
    public void Parse_Displays_GivesGpuCores(string sample, int cores) =>
        Assert.Equal(cores, SystemProfilerOutput.Parse(Samples.Read(sample)).GpuCores);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"SPDisplaysDataType\":[]}")]
    [InlineData("{\"SPDisplaysDataType\":[17, null, {\"sppci_cores\":\"many\"}]}")]
    [InlineData("{\"SPDisplaysDataType\":{}}")]
    [InlineData("warning: no displays\n{")]
    public void Parse_UnusableOutput_LeavesFactsOut(string? output)
    {
        var parsed = SystemProfilerOutput.Parse(output);

        Assert.Equal(("", "", "", 0), (parsed.Chip, parsed.Model, parsed.PlatformId, parsed.GpuCores));
    }
}
