package msgraph

// refusal is the meaning of AADSTS errors, and what to do about them.
type refusal struct {
	codes      []int
	what, todo string
}

// passingFault is the identity platform's error that a retry resolves.
const passingFault = 90033

// refusals are the AADSTS errors that apps meet (Microsoft Entra, "authentication and authorization error codes").
var refusals = []refusal{
	{
		[]int{7000215},
		"the client secret is wrong",
		"put the secret's value, not its id, into client_secret or its file",
	},
	{
		[]int{7000222},
		"the client secret has expired",
		"create a new secret in the app registration (Certificates & secrets) and put it into client_secret " +
			"or its file",
	},
	{
		[]int{700016},
		"the tenant doesn't know this app",
		"check client_id and tenant_id; an app of another tenant needs the consent of an administrator of " +
			"this one first",
	},
	{
		[]int{7000229, 65001},
		"consent is missing: nobody has consented to the app in the tenant",
		"have an administrator of the tenant grant admin consent to CallRecords.Read.All",
	},
	{[]int{7000112}, "the app is disabled in the tenant", "enable sign-in for it under Enterprise applications"},
	{
		[]int{90002},
		"the tenant doesn't exist",
		"check tenant_id, and cloud: tenants of GCC High and DoD exist only in usgov_l4 and usgov_l5",
	},
	{
		[]int{900021, 900023, 50059},
		"tenant_id isn't the name of a tenant",
		"set the directory (tenant) id from the app registration's overview",
	},
	{
		[]int{90038, 900382},
		"the tenant belongs to another cloud",
		"set cloud: usgov_l4 is GCC High, usgov_l5 is DoD, everything else, including GCC, is global",
	},
	{
		[]int{500011},
		"the tenant doesn't know Microsoft Graph under this address",
		"check cloud: it must be the one that the tenant belongs to",
	},
	{
		[]int{700027},
		"the certificate isn't one of the app's",
		"upload the certificate to the app registration (Certificates & secrets), or set the file of a " +
			"certificate that is uploaded and hasn't expired",
	},
	{
		[]int{700024},
		"the signed assertion isn't valid at this time",
		"set the machine's clock; with workload_identity, check that the token file is renewed",
	},
	{
		[]int{70021, 700211, 700212, 700213},
		"no federated credential of the app fits the token in token_file",
		"compare issuer, subject and audience of the app's federated credential with the service account's",
	},
	{
		[]int{53003},
		"a conditional access policy blocks the app",
		"exempt the workload identity from the policy, or let the exporter run where the policy allows",
	},
	{[]int{passingFault}, "the identity platform has a temporary fault", "wait: the exporter retries"},
}
