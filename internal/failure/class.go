// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"strings"

	joberrorv1 "joberror.io/operator/api/v1"
)

// outOf is the prefix of the reason for a pod that does not fit on its node. The name of
// the resource follows it.
const outOf = "OutOf"

// codesOf lists the codes of each class.
var codesOf = map[string][]string{
	joberrorv1.ClassApplication: {
		"BackoffLimitExceeded", "FailedIndexes", "MaxFailedIndexesExceeded", overflowCode,
	},
	joberrorv1.ClassResources: {
		reasonOOMKilled, "Evicted", "Unschedulable",
		"VolumeAttachmentLimitExceeded", "TopologyAffinityError", "SMTAlignmentError", "EmptyPodSharedPoolError",
	},
	joberrorv1.ClassImage: {
		"ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed",
	},
	joberrorv1.ClassConfiguration: {
		"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun",
		"FailedMount", "FailedAttachVolume", "FailedMapVolume",
		"PodOSSelectorNodeLabelDoesNotMatch", "PodOSNotSupported", "InitContainerRestartPolicyForbidden", "SupplementalGroupsPolicyNotSupported",
		"PodLevelResourcesNotSupported", "PodFeatureUnsupported", "AppArmor", "SysctlForbidden",
	},
	joberrorv1.ClassInfrastructure: {
		reasonNodeLost, "NodeShutdown", "Terminated", reasonLost,
		"PreemptionByScheduler", "Preempting", "DeletionByTaintManager", "DeletionByDeviceTaintManager", "EvictionByEvictionAPI",
		"DeletionByPodGC", "TerminationByKubelet",
		// The node changed after the pod was scheduled, or one of its devices failed.
		"NodeAffinity", "NodeName", "NodePorts", "TaintToleration", "UnexpectedAdmissionError",
		"InvalidNodeInfo", "UnknownReason", "UnexpectedPredicateFailureType",
		// The network plugin or the runtime failed.
		"FailedCreatePodSandBox",
	},
	joberrorv1.ClassDeadline: {"DeadlineExceeded"},
	joberrorv1.ClassPolicy:   {"PodFailurePolicy"},
	joberrorv1.ClassSchedule: {"MissSchedule", "TooManyMissedTimes", "UnparseableSchedule", "InvalidSchedule", "UnknownTimeZone"},
}

// classes maps each code to its class.
var classes = func() map[string]string {
	byCode := map[string]string{}
	for class, codes := range codesOf {
		for _, code := range codes {
			byCode[code] = class
		}
	}
	return byCode
}()

// Class returns the class of a failure, for the label of its JobError. An unknown code
// counts as infrastructure if it ended the whole pod. Otherwise it counts as application,
// like an exit code.
func (f Failure) Class() string {
	class, known := classes[f.Code]
	switch {
	case f.Report != nil:
		return joberrorv1.ClassData
	case known:
		return class
	case f.CronJob:
		return joberrorv1.ClassSchedule
	case f.Code == reasonFailedCreate:
		return classOfFailedCreate(f.Message)
	case strings.HasPrefix(f.Code, outOf):
		return joberrorv1.ClassResources
	case f.Disruption:
		return joberrorv1.ClassInfrastructure
	default:
		return joberrorv1.ClassApplication
	}
}

// classOfFailedCreate returns the class of a FailedCreate Event on a Job, which depends on
// its message. Unless a quota or the cluster is at fault, the API server rejected the pod
// template: PodSecurity, a webhook, a limit range or a missing ServiceAccount.
func classOfFailedCreate(message string) string {
	for _, rule := range []struct{ text, class string }{
		{"exceeded quota", joberrorv1.ClassResources},
		{"Internal error occurred", joberrorv1.ClassInfrastructure},
		{"timed out", joberrorv1.ClassInfrastructure},
	} {
		if strings.Contains(message, rule.text) {
			return rule.class
		}
	}
	return joberrorv1.ClassConfiguration
}
